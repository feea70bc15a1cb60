import type { PolicyDecision } from '../../policy/index.ts'
import type { RecordedDecision } from './recorded-decision.ts'
import type { Difference, Ground } from './replay-report.ts'

/**
 * How a decision that was asked again differs from the one that was recorded; `null` where it does not. A rule that
 * was only renamed, or changed in what did not decide here, is no other reason: what counts is whether the same rules
 * decide, or rules of the same text, and tell the caller the same.
 */
export function compareDecisions(recorded: RecordedDecision, decided: PolicyDecision): Difference | null {
  if (recorded.effect !== decided.effect) return decided.effect === 'allow' ? 'newlyAllowed' : 'newlyDenied'
  const same =
    recorded.basis === decided.basis &&
    sameRules(recorded.determining, decided.determining) &&
    sameTexts(recorded.obligations, decided.obligations) &&
    sameTexts(
      recorded.errors,
      decided.errors.map(({ message }) => message),
    )
  return same ? null : 'otherReasons'
}

/** What decided, as recorded. */
export function recordedGround({ basis, determining, errors }: RecordedDecision): Ground {
  return { basis, by: basis === 'error' ? errors : determining.map(({ id }) => id) }
}

/** What decides when asked again. */
export function decidedGround({ basis, determining, errors }: PolicyDecision): Ground {
  return { basis, by: basis === 'error' ? errors.map(({ message }) => message) : determining.map(({ id }) => id) }
}

type Rules = RecordedDecision['determining']

function sameRules(left: Rules, right: Rules): boolean {
  const of = (rules: Rules, part: (rule: Rules[number]) => string): string[] => rules.map(part)
  const sameBy = (part: (rule: Rules[number]) => string): boolean => sameTexts(of(left, part), of(right, part))
  return sameBy(({ textHash }) => textHash) || sameBy(({ id, reason, remedy }) => JSON.stringify([id, reason, remedy]))
}

function sameTexts(left: readonly string[], right: readonly string[]): boolean {
  if (left.length !== right.length) return false
  const sorted = right.toSorted()
  return left.toSorted().every((text, position) => text === sorted[position])
}
