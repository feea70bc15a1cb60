import type { OperationInput } from '../../contract/index.ts'
import type { Catalogue } from '../../gateway/index.ts'
import { McpworksError, type Clock, type JsonObject } from '../../kernel/index.ts'
import type { MisfitRule, PolicySource, PolicyStore } from '../../policy/index.ts'
import type { HostedState } from '../hosted-state.ts'
import type { Replays } from '../replay/run-replay.ts'
import type { Handlers } from './handler.ts'
import { unknownNamespace } from './identity-handlers.ts'
import { asJson, sourceOf } from './policy-handlers.ts'
import { policySources } from './policy-sources.ts'

/** What replaying stands on. */
export interface ReplayHandlerPorts {
  readonly catalogue: Catalogue
  readonly hosted: HostedState
  readonly policyStore: Pick<PolicyStore, 'find'>
  readonly replays: Replays
  /** Where the decision log is, and what opens its bodies. */
  readonly log: { readonly dataDirectory: string; readonly masterKey: Uint8Array | null }
  readonly clock: Clock
}

/** Replaying recorded decisions under policies that are tried. Changes nothing; answers no arguments of any call. */
export function replayHandlers(ports: ReplayHandlerPorts): Pick<Handlers, 'audit.replay'> {
  const { catalogue, hosted, replays, log, clock } = ports
  return {
    async 'audit.replay'(input, _invocation, signal) {
      const { namespace, sinceSeconds, maxDecisions } = input
      if (!catalogue.hasNamespace(namespace)) throw unknownNamespace(namespace)
      const { sources, onMisfit } = await triedPolicies(input, ports)
      const sinceMs = clock.nowMs() - sinceSeconds * 1000
      const { check, report } = await replays.run(
        {
          ...log,
          namespace,
          sources,
          onMisfit,
          vocabulary: hosted.vocabulary(namespace),
          definitions: catalogue.list(namespace, 'tool').map((entry) => [entry.name, entry.definitionHash] as const),
          sinceMs,
          maxDecisions,
        },
        signal,
      )
      const { policySetHash, policyCount, problems } = check
      return asJson({
        namespace,
        policySetHash,
        policyCount,
        problems,
        since: new Date(sinceMs).toISOString(),
        ...report,
      }) satisfies JsonObject
    },
  }
}

/**
 * The policies that are tried. Files must fit the tools of today, as if they were put in force; a set that there was
 * is taken as it is, and denies where it does not fit them.
 */
async function triedPolicies(
  { namespace, files, policySet }: OperationInput<'audit.replay'>,
  { policyStore }: ReplayHandlerPorts,
): Promise<{ readonly sources: readonly PolicySource[]; readonly onMisfit: MisfitRule }> {
  if ((files === null) === (policySet === null))
    throw new McpworksError('invalid_request', { message: 'Give either policy files or a policy set.' })
  if (files !== null) {
    const given = policySources(namespace, files.map(sourceOf))
    if (!given.ok) throw new McpworksError('policy_invalid', { data: { problems: given.problems } })
    return { sources: given.sources, onMisfit: 'refuse' }
  }
  const stored = policySet === null ? null : await policyStore.find(namespace, policySet)
  if (stored === null)
    throw new McpworksError('unknown_object', {
      message: `${namespace} never had the policies ${policySet}. "mcpworks policy history" lists those that it had.`,
    })
  return { sources: stored.sources, onMisfit: 'deny-affected' }
}
