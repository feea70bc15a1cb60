import type { DecisionLog } from '../../audit/index.ts'
import { createTurns, type Clock, type Digest, type JsonObject } from '../../kernel/index.ts'
import { McpworksError } from '../../kernel/index.ts'
import type { Catalogue } from '../../gateway/index.ts'
import type { PolicyEngine, PolicyStore } from '../../policy/index.ts'
import { appendEvent } from '../append-event.ts'
import type { HostedState } from '../hosted-state.ts'
import type { ShadowMode } from '../shadow/create-shadow-mode.ts'
import { shadowReport } from '../shadow/shadow-report.ts'
import type { Handlers } from './handler.ts'
import { unknownNamespace } from './identity-handlers.ts'
import { asJson } from './policy-handlers.ts'
import { triedPolicies } from './tried-policies.ts'

/** What the shadow handlers stand on. */
export interface ShadowHandlerPorts {
  readonly policy: Pick<PolicyEngine, 'check' | 'policySetHash'>
  readonly policyStore: Pick<PolicyStore, 'find'>
  readonly catalogue: Pick<Catalogue, 'hasNamespace'>
  readonly hosted: Pick<HostedState, 'vocabulary'>
  readonly shadow: ShadowMode
  readonly decisionLog: DecisionLog
  readonly clock: Clock
}

/** Policies that are tried beside those in force. Setting and clearing them is recorded before it counts. */
export function shadowHandlers({
  policy,
  policyStore,
  catalogue,
  hosted,
  shadow,
  decisionLog,
  clock,
}: ShadowHandlerPorts): Pick<Handlers, 'shadow.set' | 'shadow.clear' | 'audit.shadow'> {
  const inTurn = createTurns()

  async function record(namespace: string, event: JsonObject): Promise<void> {
    await appendEvent(decisionLog, clock, { kind: 'policy-change', namespace, event })
  }

  return {
    async 'shadow.set'(input, { caller }) {
      const { namespace, comment } = input
      if (!catalogue.hasNamespace(namespace)) throw unknownNamespace(namespace)
      const { sources, placed } = await triedPolicies(input, policyStore)
      const checked = policy.check(sources, hosted.vocabulary(namespace))
      if (!checked.ok) throw new McpworksError('policy_invalid', { data: { problems: placed(checked.problems) } })
      const { policySetHash, policyCount } = checked
      const problems = placed(checked.problems)
      const by = caller.principal.id
      await inTurn(namespace, async () => {
        await record(namespace, { type: 'shadow-set', policy_set: policySetHash, policies: policyCount, by, comment })
        await shadow.set({ namespace, policySetHash, sources, setAtMs: clock.nowMs(), setBy: by, comment })
      })
      return asJson({ namespace, policySetHash, policyCount, problems, inForce: policy.policySetHash(namespace) })
    },
    async 'shadow.clear'({ namespace }, { caller }) {
      const cleared = await inTurn(namespace, async (): Promise<Digest | null> => {
        const set = shadow.find(namespace)
        if (set === null) return null
        const { policySetHash } = set
        await record(namespace, { type: 'shadow-cleared', policy_set: policySetHash, by: caller.principal.id })
        await shadow.clear(namespace)
        return policySetHash
      })
      return { namespace, policySetHash: cleared }
    },
    async 'audit.shadow'({ namespace }) {
      if (!catalogue.hasNamespace(namespace)) throw unknownNamespace(namespace)
      const set = shadow.find(namespace)
      if (set === null) return { namespace, shadow: null }
      await shadow.settle()
      const { policySetHash, setAtMs, setBy, comment, stopped } = set
      const about = { policySetHash, setAt: new Date(setAtMs).toISOString(), setBy, comment, stopped }
      const report = await shadowReport(decisionLog, namespace, set)
      return asJson({ namespace, shadow: about, inForce: policy.policySetHash(namespace), ...report })
    },
  }
}
