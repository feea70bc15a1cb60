import type { FunctionStore, FunctionVersion } from '../functions/index.ts'
import type { Backend, CatalogueEntry, MutableCatalogue } from '../gateway/index.ts'
import { McpworksError, toolName, type Clock, type Digest } from '../kernel/index.ts'
import {
  builtInPolicies,
  type PolicyDecision,
  type PolicyEngine,
  type PolicyProblem,
  type PolicyRequest,
  type PolicySource,
  type PolicyStore,
  type PolicyVocabulary,
} from '../policy/index.ts'
import { functionEntry } from './function-entry.ts'

/** Functions and policies of all namespaces as they are in force, with the one way to change them. */
export interface HostedState {
  functions(namespace: string): readonly FunctionVersion[]
  policySources(namespace: string): readonly PolicySource[]
  /** What policies may speak of if the functions were these (default: those in force). */
  vocabulary(namespace: string, functions?: readonly FunctionVersion[]): PolicyVocabulary
  /**
   * What `ask` learns of decisions if functions and policies of a namespace were these. Changes nothing. `ask` must not
   * wait for anything: nobody else's request may be decided under them.
   * @throws McpworksError `policy_invalid` where the policies are not good
   */
  under<Answer>(
    namespace: string,
    change: Pick<HostedChange, 'functions' | 'policies'>,
    ask: (decide: (request: PolicyRequest) => PolicyDecision) => Answer,
  ): Answer
  /**
   * Puts functions and policies in force together: checked first, then stored, then swapped in one turn of the event
   * loop, so that no call sees the new functions under the old policies.
   * @throws McpworksError `policy_invalid` with the problems; then nothing has changed.
   */
  replace(namespace: string, change: HostedChange): Promise<{ policySetHash: Digest }>
}

/** The new state of a namespace. */
export interface HostedChange {
  readonly functions: readonly FunctionVersion[]
  readonly policies: readonly PolicySource[]
  /** Principal id. */
  readonly by: string
  /** Why, in the words of whoever does it. May be empty. */
  readonly comment: string
}

/** Policies about to be put in force, for the record. */
export interface PolicyActivation {
  readonly namespace: string
  readonly policySetHash: Digest
  /** The set in force until then; `null` where there is none. */
  readonly previous: Digest | null
  readonly policyCount: number
  readonly by: string
  readonly comment: string
}

/** What the hosted state stands on. */
export interface HostedStatePorts {
  readonly functionStore: FunctionStore
  readonly policyStore: PolicyStore
  readonly policy: PolicyEngine
  readonly catalogue: MutableCatalogue
  /** The backend that runs exactly this version. */
  readonly backendOf: (version: FunctionVersion) => Backend
  /** Makes the record of an activation durable. Rejects where it cannot: then nothing is activated. */
  readonly recordActivation: (activation: PolicyActivation) => Promise<void>
  /** Names of the channels that notifications go to; empty where none is configured. */
  readonly channels: readonly string[]
  readonly clock: Clock
}

/**
 * Loads what is in force. Tools that stored policies no longer fit are denied until policy and tool agree again;
 * `onProblem` says which.
 */
export async function createHostedState(
  ports: HostedStatePorts,
  onProblem: (namespace: string, problems: readonly PolicyProblem[]) => void,
): Promise<HostedState> {
  const { channels, functionStore, policyStore, policy, catalogue, backendOf, recordActivation, clock } = ports
  const functions = new Map<string, readonly FunctionVersion[]>()
  const policies = new Map<string, readonly PolicySource[]>()

  await policyStore.keepBuiltIn(builtInPolicies)
  for (const [namespace, versions] of Map.groupBy(await functionStore.loadActive(), (version) => version.namespace)) {
    functions.set(namespace, versions)
    publish(namespace, versions, [])
  }
  for (const stored of await policyStore.loadActive()) {
    policies.set(stored.namespace, stored.sources)
    const check = policy.install(stored.sources, vocabulary(stored.namespace), 'deny-affected')
    if (check.problems.length > 0) onProblem(stored.namespace, check.problems)
  }

  function vocabulary(namespace: string, hosted = functions.get(namespace) ?? []): PolicyVocabulary {
    const hostedServices = new Set([...hosted, ...(functions.get(namespace) ?? [])].map((version) => version.service))
    const elsewhere = catalogue.list(namespace, 'tool').filter((entry) => !hostedServices.has(entry.service))
    const others = elsewhere.map(({ name, service, inputSchema, outputSchema }) => ({
      name,
      service,
      inputSchema: inputSchema ?? {},
      outputSchema,
    }))
    const labels = [...elsewhere, ...hosted].flatMap((tool) => tool.labels ?? [])
    const own = hosted.map((version) => ({
      name: toolName(version.service, version.name),
      service: version.service,
      inputSchema: version.inputSchema,
      outputSchema: version.outputSchema,
    }))
    return { namespace, tools: [...others, ...own], labels, ...(channels.length === 0 ? {} : { channels }) }
  }

  function publish(namespace: string, next: readonly FunctionVersion[], previous: readonly FunctionVersion[]): void {
    const entries = next.map((version) => functionEntry(version, backendOf(version)))
    const byService = Map.groupBy<string, CatalogueEntry>(entries, (entry) => entry.service)
    for (const { service } of previous) if (!byService.has(service)) byService.set(service, [])
    for (const [service, own] of byService) catalogue.replaceService(namespace, service, own)
  }

  return {
    functions: (namespace) => functions.get(namespace) ?? [],
    policySources: (namespace) => policies.get(namespace) ?? [],
    vocabulary,
    under(namespace, change, ask) {
      const tried = policy.under(change.policies, vocabulary(namespace, change.functions), () =>
        ask((request) => policy.decide(request)),
      )
      if ('answer' in tried) return tried.answer
      throw new McpworksError('policy_invalid', { data: { problems: tried.check.problems } })
    },
    async replace(namespace, change) {
      const previous = functions.get(namespace) ?? []
      const nextVocabulary = vocabulary(namespace, change.functions)
      const checked = policy.check(change.policies, nextVocabulary)
      if (!checked.ok) throw new McpworksError('policy_invalid', { data: { problems: checked.problems } })

      const { policySetHash, policyCount } = checked
      const inForce = policy.policySetHash(namespace)
      const activates = policySetHash !== inForce
      if (activates) {
        const { by, comment } = change
        await recordActivation({ namespace, policySetHash, previous: inForce, policyCount, by, comment })
      }
      await functionStore.activate(change.functions)
      const kept = new Set(change.functions.map((version) => toolName(version.service, version.name)))
      for (const { service, name } of previous) {
        if (!kept.has(toolName(service, name))) await functionStore.deactivate(namespace, service, name)
      }
      if (activates) {
        await policyStore.activate({
          namespace,
          policySetHash,
          sources: change.policies,
          activatedAtMs: clock.nowMs(),
          activatedBy: change.by,
          comment: change.comment,
        })
      }

      functions.set(namespace, change.functions)
      policies.set(namespace, change.policies)
      publish(namespace, change.functions, previous)
      const installed = policy.install(change.policies, nextVocabulary)
      if (!installed.ok) {
        policy.remove(namespace)
        throw new McpworksError('policy_invalid', { data: { problems: installed.problems } })
      }
      return { policySetHash: installed.policySetHash }
    },
  }
}
