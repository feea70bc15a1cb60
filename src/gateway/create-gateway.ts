import { errorTable, uuidv7, type JsonObject } from '../kernel/index.ts'
import type { InvocationEvents } from './backend.ts'
import type { EntryKind } from './catalogue.ts'
import type { Gateway, GatewayRequest } from './gateway.ts'
import type { GatewayAnswer } from './gateway-answer.ts'
import { depthOf } from './inner-calls.ts'
import { perform } from './pipeline.ts'
import type { GatewayPorts } from './ports.ts'
import { createCallWatch } from './withdrawals.ts'

const actionOf = { tool: 'call', prompt: 'prompt', resource: 'read', 'resource-template': 'read' } as const
const typeOf = { tool: 'Tool', prompt: 'Prompt', resource: 'Resource', 'resource-template': 'Resource' } as const

/** How many filtered lists are kept. */
const maxCachedLists = 1000

/**
 * The pipeline behind a bound on concurrent calls, and the lists filtered by the same policies.
 * `report` gets errors that are nobody's expected outcome, with the call id that the caller was told.
 */
export function createGateway(ports: GatewayPorts, report: (call: string, error: unknown) => void): Gateway {
  const lists = new Map<string, readonly JsonObject[]>()
  const underWay = new Map<string, number>()
  const calls = createCallWatch(ports.withdrawals)

  async function enter(request: GatewayRequest, events: InvocationEvents): Promise<GatewayAnswer> {
    const lane = laneOf(request)
    const inLane = underWay.get(lane) ?? 0
    if (inLane >= ports.config.maxConcurrentCalls) {
      const call = uuidv7(ports.clock.nowMs())
      return { status: 'unavailable', call, code: 'overloaded', message: errorTable.overloaded.message }
    }
    underWay.set(lane, inLane + 1)
    const watched = calls.watch(request, events)
    try {
      return await perform(request, watched.events, ports, { report, performInner: enter })
    } finally {
      watched.done()
      underWay.set(lane, (underWay.get(lane) ?? 0) - 1)
    }
  }

  return {
    perform: enter,
    list(asked, namespace, kind) {
      const caller = ports.refresh(asked)
      if (caller === null || ports.withdrawals.isClosed(namespace)) return []
      const { principal } = caller
      // Keyed by the content of everything that the answer depends on, so that it is never stale.
      const key = JSON.stringify([
        namespace,
        kind,
        ports.catalogue.hash(namespace),
        ports.policy.policySetHash(namespace),
        principal.type,
        principal.id,
        principal.groups,
      ])
      const cached = lists.get(key)
      if (cached !== undefined) return cached
      const visible = filterVisible(ports, principal, namespace, kind)
      lists.set(key, visible)
      if (lists.size > maxCachedLists) {
        const oldest = lists.keys().next().value
        if (oldest !== undefined) lists.delete(oldest)
      }
      return visible
    },
    mayEnter(caller, namespace) {
      if (!ports.catalogue.hasNamespace(namespace)) return false
      return caller.principal.namespace === namespace || caller.principal.type === 'user'
    },
  }
}

/**
 * Lanes are bounded apart from each other: whoever fills one cannot keep the operator from revoking them through the
 * other, and a call never waits for a place that the call it belongs to holds.
 */
function laneOf(request: GatewayRequest): string {
  return request.door === 'management' ? 'management' : `calls at depth ${depthOf(request)}`
}

/** What a principal would see by the policies of this moment. Does not look at a credential. */
export function filterVisible(
  ports: Pick<GatewayPorts, 'catalogue' | 'policy'>,
  principal: Parameters<Gateway['list']>[0]['principal'],
  namespace: string,
  kind: EntryKind,
): readonly JsonObject[] {
  return ports.catalogue
    .list(namespace, kind)
    .filter((entry) =>
      ports.policy.isVisible({
        principal,
        action: actionOf[kind],
        resource: { type: typeOf[kind], id: `${namespace}/${entry.name}`, namespace, service: entry.service },
      }),
    )
    .map((entry) => entry.definition)
}
