import type { Digest } from '../../kernel/index.ts'
import type { PolicyRequest, PolicySource, PolicyVocabulary, VisibilityQuestion } from '../../policy/index.ts'
import type { ComparedDecision } from '../replay/compare-decisions.ts'
import type { Difference, DifferenceExample, Ground } from '../replay/difference-groups.ts'

/** What the thread is told. Each message is carried out before the next. */
export type ShadowRequest =
  | { readonly kind: 'install'; readonly sources: readonly PolicySource[]; readonly vocabulary: PolicyVocabulary }
  | { readonly kind: 'remove'; readonly namespace: string }
  /** JSON texts of `AskedCall` or `HiddenCall`: copying a text costs a tenth of copying what it says. */
  | { readonly kind: 'decide'; readonly calls: readonly string[] }
  | { readonly kind: 'sync'; readonly ticket: number }
  | { readonly kind: 'end' }

/** A call to decide, with what was decided under the policies in force. */
export interface AskedCall {
  readonly call: string
  readonly request: PolicyRequest
  readonly inForce: ComparedDecision
}

/** A call that was answered that there is no such thing. */
export interface HiddenCall {
  readonly call: string
  readonly hidden: VisibilityQuestion
  readonly timeMs: number
}

/** What the thread answers. */
export type ShadowMessage =
  /** `count` calls are done with. */
  | { readonly kind: 'decided'; readonly count: number; readonly verdicts: readonly ShadowVerdict[] }
  | { readonly kind: 'synced'; readonly ticket: number }
  /** The policies of this namespace broke the engine, or could not be installed. The thread ends. */
  | { readonly kind: 'broken'; readonly namespace: string }

/** How one call would have been decided. */
export interface ShadowVerdict {
  readonly namespace: string
  readonly policySetHash: Digest
  readonly call: string
  /** `null` where nothing would be different. */
  readonly difference: ShadowDifference | null
}

/** A call that would have been decided differently. */
export interface ShadowDifference extends DifferenceExample {
  readonly kind: Difference
  readonly before: Ground
  readonly after: Ground
}
