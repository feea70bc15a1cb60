import type { ErrorCode } from '../../kernel/index.ts'
import type { MisfitRule, PolicyCheck, PolicyProblem, PolicySource, PolicyVocabulary } from '../../policy/index.ts'
import type { DecisionReaderOptions } from '../../storage/index.ts'
import type { ReplayReport } from './replay-report.ts'

/** What the thread of a replay is given. */
export interface ReplayJob extends DecisionReaderOptions {
  readonly namespace: string
  readonly sources: readonly PolicySource[]
  readonly vocabulary: PolicyVocabulary
  readonly onMisfit: MisfitRule
  /** Name and definition hash of each tool of today. */
  readonly definitions: readonly (readonly [string, string])[]
  readonly sinceMs: number
  readonly maxDecisions: number
}

/** The job with a place in shared memory: it is to stop once that is not 0. */
export interface ReplayThreadData extends ReplayJob {
  readonly stop: Int32Array
}

/** What it answers, once. `broken`: the policies broke the thread's engine, so that nothing it found can be believed. */
export type ReplayMessage =
  | { readonly kind: 'done'; readonly check: PolicyCheck & { readonly ok: true }; readonly report: ReplayReport }
  | { readonly kind: 'refused'; readonly problems: readonly PolicyProblem[] }
  | { readonly kind: 'broken' }
  /** What the thread cannot do its work without is not there. */
  | { readonly kind: 'failed'; readonly code: ErrorCode }
