import { uuidv7, type Clock, type JsonObject } from '../kernel/index.ts'
import type { InvocationEvents } from './backend.ts'
import type { IdentifiedCall } from './call.ts'
import type { CallTool } from './call-tool.ts'
import type { CatalogueEntry } from './catalogue.ts'
import type { GatewayAnswer } from './gateway-answer.ts'
import type { GatewayRequest, ParentCall } from './gateway.ts'

/** What a running call may do with the pipeline. */
export interface InnerCalls {
  readonly callTool: CallTool
  /** Calls made so far, refused ones included. */
  readonly made: number
  /** Those that went through the pipeline and have ended, with how they were answered. */
  readonly answered: readonly { readonly call: string; readonly status: GatewayAnswer['status'] }[]
  /** Calls off what is under way and waits until it has ended and is recorded. To be called once the outer call has acted. */
  end(): Promise<void>
}

/**
 * Lets a running call make others. They go through the whole pipeline from its first step; what differs from a call of
 * the caller's own is that the run is given, the door is `code`, and that `barInner` has a say.
 * All calls that one call causes, at any depth, are counted together, so that functions that call each other cannot
 * multiply what one request costs.
 */
export function openInnerCalls(
  call: IdentifiedCall,
  entry: CatalogueEntry | null,
  perform: (request: GatewayRequest, events: InvocationEvents) => Promise<GatewayAnswer>,
  { clock, maxInnerCalls }: { readonly clock: Clock; readonly maxInnerCalls: number },
): InnerCalls {
  const ended = new AbortController()
  const underWay = new Set<Promise<GatewayAnswer>>()
  const tree = call.parent?.tree ?? { callsLeft: maxInnerCalls }
  const parent: ParentCall = {
    call: call.call,
    run: call.currentRun,
    depth: depthOf(call),
    mayCall: entry?.calls ?? [],
    tree,
  }
  let made = 0
  const answered: { readonly call: string; readonly status: GatewayAnswer['status'] }[] = []

  async function callTool(tool: string, args: JsonObject, signal: AbortSignal): Promise<GatewayAnswer> {
    made += 1
    const refused = { status: 'unavailable', call: uuidv7(clock.nowMs()), code: 'overloaded' } as const
    if (ended.signal.aborted || signal.aborted) return { ...refused, message: 'The call that asked for it has ended.' }
    if (tree.callsLeft <= 0) {
      const message = `One call may cause ${maxInnerCalls} others, and has (gateway.maxInnerCalls).`
      return { ...refused, message }
    }
    tree.callsLeft -= 1
    const { caller, namespace, facts } = call
    const answer = perform(
      {
        caller,
        namespace,
        door: 'code',
        effect: { kind: 'call', tool, arguments: args, resume: null },
        // Nobody is there to answer what a tool asks of its client, and the request's id is that of the outer call.
        facts: { ...facts, method: 'tools/call', requestId: null, clientCapabilities: {} },
        parent,
      },
      { signal: AbortSignal.any([signal, ended.signal]), log: () => {}, progress: () => {} },
    )
    underWay.add(answer)
    try {
      const given = await answer
      answered.push({ call: given.call, status: given.status })
      return given
    } finally {
      underWay.delete(answer)
    }
  }

  return {
    callTool,
    get made() {
      return made
    },
    answered,
    async end() {
      ended.abort()
      await Promise.all(underWay)
    },
  }
}

/** How many calls wait for this one, one inside the other. */
export function depthOf({ parent }: Pick<GatewayRequest, 'parent'>): number {
  return parent === undefined ? 0 : parent.depth + 1
}
