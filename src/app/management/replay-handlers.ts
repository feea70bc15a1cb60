import type { Catalogue } from '../../gateway/index.ts'
import { McpworksError, type Clock, type JsonObject } from '../../kernel/index.ts'
import type { PolicyStore } from '../../policy/index.ts'
import type { HostedState } from '../hosted-state.ts'
import type { LogPlace } from '../log-place.ts'
import type { Replays } from '../replay/run-replay.ts'
import type { Handlers } from './handler.ts'
import { unknownNamespace } from './identity-handlers.ts'
import { asJson } from './policy-handlers.ts'
import { triedPolicies } from './tried-policies.ts'

/** What replaying stands on. */
export interface ReplayHandlerPorts {
  readonly catalogue: Catalogue
  readonly hosted: HostedState
  readonly policyStore: Pick<PolicyStore, 'find'>
  readonly replays: Replays
  /** Where the decision log is, and what opens its bodies. */
  readonly log: LogPlace
  readonly clock: Clock
}

/** Replaying recorded decisions under policies that are tried. Changes nothing; answers no arguments of any call. */
export function replayHandlers(ports: ReplayHandlerPorts): Pick<Handlers, 'audit.replay'> {
  const { catalogue, hosted, policyStore, replays, log, clock } = ports
  return {
    async 'audit.replay'(input, _invocation, signal) {
      const { namespace, sinceSeconds, maxDecisions } = input
      if (!catalogue.hasNamespace(namespace)) throw unknownNamespace(namespace)
      const { sources, onMisfit, placed } = await triedPolicies(input, policyStore)
      const sinceMs = clock.nowMs() - sinceSeconds * 1000
      const answer = await replays.run(
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
      if (answer.kind === 'refused')
        throw new McpworksError('policy_invalid', { data: { problems: placed(answer.problems) } })
      const { check, report } = answer
      const { policySetHash, policyCount } = check
      return asJson({
        namespace,
        policySetHash,
        policyCount,
        problems: placed(check.problems),
        since: new Date(sinceMs).toISOString(),
        ...report,
      }) satisfies JsonObject
    },
  }
}
