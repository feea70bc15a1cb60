import type { ConditionText, Explanation } from '../../policy/index.ts'

/** Why a call was refused and what would change that, as data. Says what policies say, and nothing that the call held. */
export interface RefusalExplanation {
  readonly call: string
  readonly namespace: string
  /** ISO 8601. */
  readonly time: string
  readonly principal: string
  readonly tool: string
  /** False for a call that was allowed: there is nothing to explain then. */
  readonly refused: boolean
  readonly basis: string
  /** What refused it, in one sentence. */
  readonly sentence: string
  /** The policies that determined it, with what each asks for. Conditions are empty where the set is not there any more. */
  readonly rules: readonly RefusingRule[]
  /** Of a refusal because nothing permits it: permits that came close, the closest first. */
  readonly nearMisses: Explanation['nearMisses']
  /** Permits for others, or for other things. */
  readonly elsewhere: Explanation['elsewhere']
  /** What would have the same call allowed, in sentences; empty where nothing is known to. */
  readonly changes: readonly string[]
  /** What could not be looked at, and so is not told. */
  readonly missing: readonly string[]
  /** The same call under the policies and the tool of today; `null` where that cannot be told. */
  readonly today: TodaysAnswer | null
}

/** A policy that had a part in a refusal. */
export interface RefusingRule {
  readonly id: string
  readonly effect: string
  readonly reason: string | null
  readonly remedy: string | null
  readonly conditions: readonly ConditionText[]
}

/** What would come out today, with the circumstances of then. */
export interface TodaysAnswer {
  readonly effect: 'allow' | 'deny'
  readonly basis: string
  readonly rules: readonly string[]
  readonly nearMisses: Explanation['nearMisses']
}
