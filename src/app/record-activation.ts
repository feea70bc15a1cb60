import type { DecisionLog } from '../audit/index.ts'
import type { Clock } from '../kernel/index.ts'
import { appendEvent } from './append-event.ts'
import type { PolicyActivation } from './hosted-state.ts'

/** Writes a `policy-change` record into the log of the namespace whose policies change. */
export function recordActivation(
  decisionLog: Pick<DecisionLog, 'append'>,
  clock: Clock,
): (activation: PolicyActivation) => Promise<void> {
  return async ({ namespace, policySetHash, previous, policyCount, by, comment }) => {
    const event = {
      type: 'activated',
      policy_set: policySetHash,
      replaces: previous,
      policies: policyCount,
      by,
      comment,
    }
    await appendEvent(decisionLog, clock, { kind: 'policy-change', namespace, event })
  }
}
