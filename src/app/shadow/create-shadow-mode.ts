import type { DecisionLog } from '../../audit/index.ts'
import type { MutableCatalogue, ObservedCall, ShadowWatch } from '../../gateway/index.ts'
import type { Clock } from '../../kernel/index.ts'
import type {
  PolicyDecision,
  PolicyRequest,
  PolicyVocabulary,
  ShadowPolicies,
  ShadowStore,
} from '../../policy/index.ts'
import { comparedDecision } from '../replay/compare-decisions.ts'
import { ShadowRecords } from './shadow-records.ts'
import { ShadowThread } from './shadow-thread.ts'
import type { AskedCall, HiddenCall, ShadowVerdict } from './shadow-protocol.ts'

/** Longest body of a request that is shown to shadow policies, in bytes. */
const maxBodyBytes = 64 * 1024

/** What shadow mode stands on. */
export interface ShadowModePorts {
  readonly store: ShadowStore
  readonly decisionLog: Pick<DecisionLog, 'append'>
  readonly catalogue: MutableCatalogue
  readonly vocabulary: (namespace: string) => PolicyVocabulary
  readonly clock: Clock
  /** For the operator: what went wrong with what is tried, never with a call. */
  readonly onFailure: (what: string, error: unknown) => void
}

/** How shadow policies are doing. */
export interface ShownShadow extends ShadowPolicies {
  /** Why they decide nothing any more; `null` while they do. */
  readonly stopped: string | null
}

/** Policies tried beside those in force, in any number of namespaces. */
export interface ShadowMode extends ShadowWatch {
  find(namespace: string): ShownShadow | null
  /** Tries these policies from the next call on, in the place of any others of the namespace. They must have been checked. */
  set(shadow: ShadowPolicies): Promise<void>
  clear(namespace: string): Promise<void>
  /** Resolves when every call observed so far is decided and recorded, or never will be. */
  settle(): Promise<void>
  close(): Promise<void>
}

/** Loads the shadow policies that were set, and tries them. */
export async function createShadowMode(ports: ShadowModePorts): Promise<ShadowMode> {
  const mode = new ThreadedShadowMode(ports)
  for (const shadow of await ports.store.load()) mode.begin(shadow)
  return mode
}

interface Tried {
  readonly shadow: ShadowPolicies
  /** Definition hash of each tool that the thread's engine knows; `null` where it was not told of the present ones. */
  definitions: ReadonlyMap<string, string> | null
  stopped: string | null
}

class ThreadedShadowMode implements ShadowMode {
  readonly #ports: ShadowModePorts
  readonly #tried = new Map<string, Tried>()
  readonly #records: ShadowRecords
  #thread: ShadowThread | null = null

  constructor(ports: ShadowModePorts) {
    this.#ports = ports
    this.#records = new ShadowRecords(ports.decisionLog, ports.clock, (error) =>
      ports.onFailure('what shadow policies would have decided could not be recorded', error),
    )
    ports.catalogue.onChange((namespace) => {
      const tried = this.#tried.get(namespace)
      if (tried !== undefined) tried.definitions = null
    })
  }

  /** Tries policies that are stored already. */
  begin(shadow: ShadowPolicies): void {
    this.#tried.set(shadow.namespace, { shadow, definitions: null, stopped: null })
  }

  watches(namespace: string): boolean {
    return this.#tried.get(namespace)?.stopped === null
  }

  observe({ call, request, decision, definitionHash, bodyBytes }: ObservedCall): void {
    const { namespace, id } = request.resource
    const tried = this.#tried.get(namespace)
    if (tried === undefined || tried.stopped !== null) return
    const { policySetHash } = tried.shadow
    if (decision !== null && bodyBytes > maxBodyBytes) {
      this.#records.missed(namespace, policySetHash, 'too-large')
      return
    }
    const thread = this.#prepared(tried)
    const isTool = request.action === 'call'
    if (isTool && tried.definitions?.get(id.slice(namespace.length + 1)) !== definitionHash) {
      this.#records.missed(namespace, policySetHash, 'tool-changed')
      return
    }
    if (!thread.decide(textOf(call, request, decision))) this.#records.missed(namespace, policySetHash, 'busy')
  }

  find(namespace: string): ShownShadow | null {
    const tried = this.#tried.get(namespace)
    return tried === undefined ? null : { ...tried.shadow, stopped: tried.stopped }
  }

  async set(shadow: ShadowPolicies): Promise<void> {
    await this.settle()
    await this.#ports.store.put(shadow)
    this.begin(shadow)
  }

  async clear(namespace: string): Promise<void> {
    await this.settle()
    await this.#ports.store.remove(namespace)
    this.#tried.delete(namespace)
    this.#thread?.remove(namespace)
    if (this.#tried.size === 0) await this.#endThread()
  }

  async settle(): Promise<void> {
    await this.#thread?.settle()
    await this.#records.flush()
  }

  async close(): Promise<void> {
    await this.#endThread()
    await this.#records.flush()
  }

  async #endThread(): Promise<void> {
    const thread = this.#thread
    this.#thread = null
    await thread?.close()
  }

  /** The thread, knowing the policies and the tools of today. */
  #prepared(tried: Tried): ShadowThread {
    const { namespace, sources } = tried.shadow
    this.#thread ??= new ShadowThread({
      decided: (verdicts) => this.#decided(verdicts),
      ended: (broken, reason) => this.#ended(broken, reason),
    })
    if (tried.definitions === null) {
      this.#thread.install(sources, this.#ports.vocabulary(namespace))
      const tools = this.#ports.catalogue.list(namespace, 'tool')
      tried.definitions = new Map(tools.map((entry) => [entry.name, entry.definitionHash]))
    }
    return this.#thread
  }

  #decided(verdicts: readonly ShadowVerdict[]): void {
    for (const { namespace, policySetHash, call, difference } of verdicts)
      this.#records.decided(namespace, policySetHash, call, difference)
  }

  /** Stops the policies that ended the thread (all of them where it is not known which); the others get another thread. */
  #ended(broken: string | null, reason: string): void {
    this.#thread = null
    for (const [namespace, tried] of this.#tried) {
      tried.definitions = null
      if (broken !== null && broken !== namespace) continue
      tried.stopped = reason
      const event = { type: 'shadow-stopped', policy_set: tried.shadow.policySetHash, reason }
      this.#records.tell(namespace, event).catch((error: unknown) => {
        this.#ports.onFailure('that shadow policies stopped could not be recorded', error)
      })
      this.#ports.onFailure(`the shadow policies of ${namespace} were stopped`, reason)
    }
  }
}

/** Of what was hidden from the caller the arguments are left out: time must not tell it from what is not there. */
function textOf(call: string, request: PolicyRequest, decision: PolicyDecision | null): string {
  const { principal, resource, action, context } = request
  if (decision !== null)
    return JSON.stringify({ call, request, inForce: comparedDecision(decision) } satisfies AskedCall)
  if (action === 'manage' || action === 'approve' || action === 'audit')
    throw new Error('nothing of management is hidden')
  return JSON.stringify({ call, hidden: { principal, action, resource }, timeMs: context.timeMs } satisfies HiddenCall)
}
