import type { CallUsage, PolicyDecision } from '../../policy/index.ts'
import type { IdentifiedCall, Target, Verdict } from '../call.ts'
import type { CountedCall, UsageKey, UsageLedger } from '../usage/usage-ledger.ts'

/** Whose use of what a call counts towards, and what was used before it. */
export interface Use {
  readonly key: UsageKey
  readonly before: CallUsage
}

/** Under which key the call counts; `null` for management, the log, and what the caller may not know of. */
export function usageKey({ caller, namespace }: IdentifiedCall, { entry, visible, resource }: Target): UsageKey | null {
  if (entry === null || !visible) return null
  return { namespace, principal: caller.principal.id, target: `${resource.type} ${entry.name}` }
}

/** Counts a call that is allowed. To be called in the turn of the event loop in which the use was read. */
export function countUse(verdict: Verdict, use: Use | null, ledger: UsageLedger): CountedCall | null {
  if (verdict.kind !== 'allowed' || use === null) return null
  return ledger.begin(use.key, spendOf(verdict.decision))
}

/** What the call spends by the fact that its policies call the spend; nothing where no fact is. */
export function spendOf(decision: Pick<PolicyDecision, 'spend'>): number {
  return decision.spend ?? 0
}
