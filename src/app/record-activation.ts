import type { DecisionLog } from '../audit/index.ts'
import { uuidv7, type Clock } from '../kernel/index.ts'
import type { PolicyActivation } from './hosted-state.ts'

/** Writes a `policy-change` record into the log of the namespace whose policies change. */
export function recordActivation(
  decisionLog: Pick<DecisionLog, 'append'>,
  clock: Clock,
): (activation: PolicyActivation) => Promise<void> {
  return async ({ namespace, policySetHash, previous, policyCount, by, comment }) => {
    const id = uuidv7(clock.nowMs())
    await decisionLog.append({
      kind: 'policy-change',
      namespace,
      run: id,
      call: id,
      parentCall: null,
      trace: null,
      event: { type: 'activated', policy_set: policySetHash, replaces: previous, policies: policyCount, by, comment },
    })
  }
}
