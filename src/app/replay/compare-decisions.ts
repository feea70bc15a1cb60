import type { PolicyDecision } from '../../policy/index.ts'
import type { Difference, Ground } from './difference-groups.ts'

/** What of a decision is compared with another. */
export interface ComparedDecision {
  readonly effect: 'allow' | 'deny'
  readonly basis: string
  readonly determining: readonly {
    readonly id: string
    readonly textHash: string
    readonly reason: string | null
    readonly remedy: string | null
  }[]
  /** Sentences. */
  readonly errors: readonly string[]
  readonly obligations: readonly string[]
}

/** The part of an engine's answer that is compared. */
export function comparedDecision(decision: PolicyDecision): ComparedDecision {
  const { effect, basis, determining, errors, obligations } = decision
  return {
    effect,
    basis,
    determining: determining.map(({ id, textHash, reason, remedy }) => ({ id, textHash, reason, remedy })),
    errors: errors.map(({ message }) => message),
    obligations,
  }
}

/**
 * How the second decision differs from the first; `null` where it does not. A rule that was only renamed, or changed in
 * what did not decide here, is no other reason: what counts is whether the same rules decide, or rules of the same text,
 * and tell the caller the same.
 */
export function compareDecisions(before: ComparedDecision, after: ComparedDecision): Difference | null {
  if (before.effect !== after.effect) return after.effect === 'allow' ? 'newlyAllowed' : 'newlyDenied'
  const same =
    before.basis === after.basis &&
    sameRules(before.determining, after.determining) &&
    sameTexts(before.obligations, after.obligations) &&
    sameTexts(before.errors, after.errors)
  return same ? null : 'otherReasons'
}

/** What decided. */
export function groundOf({ basis, determining, errors }: ComparedDecision): Ground {
  return { basis, by: basis === 'error' ? errors : determining.map(({ id }) => id) }
}

type Rules = ComparedDecision['determining']

function sameRules(left: Rules, right: Rules): boolean {
  const sameBy = (part: (rule: Rules[number]) => string): boolean => sameTexts(left.map(part), right.map(part))
  return sameBy(({ textHash }) => textHash) || sameBy(({ id, reason, remedy }) => JSON.stringify([id, reason, remedy]))
}

function sameTexts(left: readonly string[], right: readonly string[]): boolean {
  if (left.length !== right.length) return false
  const sorted = right.toSorted()
  return left.toSorted().every((text, position) => text === sorted[position])
}
