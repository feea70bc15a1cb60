/** Whether a request is within a limit, and if not which and for how long. */
export type LimitVerdict =
  | { readonly ok: true }
  | {
      readonly ok: false
      /** Whole seconds, at least 1 (RFC 9110 section 10.2.3). */
      readonly retryAfterSeconds: number
      /** For the record: the limit and its number. */
      readonly reason: string
    }

/** Within every limit. */
export const withinLimits: LimitVerdict = { ok: true }

/** A refusal for `waitMs`. */
export function overLimit(reason: string, waitMs: number): LimitVerdict {
  return { ok: false, retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)), reason }
}
