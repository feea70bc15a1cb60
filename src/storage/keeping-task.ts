import type { ErasureResult, ExpiryStep, Hold, StepResult } from '../audit/index.ts'

/** What the writer is to do besides appending: the calls of `RecordKeeper`. */
export type KeepingTask =
  | { readonly kind: 'place-hold'; readonly hold: Hold }
  | {
      readonly kind: 'lift-hold'
      readonly namespace: string
      readonly id: string
      readonly by: string
      readonly reason: string
    }
  | ({ readonly kind: 'expire' } & ExpiryStep)
  | { readonly kind: 'erase'; readonly subject: string; readonly by: string; readonly call: string }
  | { readonly kind: 'sweep-erased' }

/** What came of it. */
export type KeepingAnswer = Hold | StepResult | ErasureResult | null
