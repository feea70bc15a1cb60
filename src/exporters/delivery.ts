/** What became of what was sent to a receiver. Reasons are a few words for operators, without secrets. */
export type Delivery =
  /** The receiver took it. Of `rejected` spans it said that it will not keep them, in `note`'s words. */
  | { readonly status: 'taken'; readonly rejected: number; readonly note: string | null }
  /** Not now: to be sent again, as it is. */
  | { readonly status: 'refused'; readonly reason: string; readonly retryAfterMs: number }
  /** Not ever: the receiver says that it is wrong, and sending it again would be answered alike. */
  | { readonly status: 'unacceptable'; readonly reason: string }

/** It was taken, all of it. */
export const taken: Delivery = { status: 'taken', rejected: 0, note: null }

/** It was refused for `reason`. */
export function refused(reason: string, retryAfterMs = 0): Delivery {
  return { status: 'refused', reason, retryAfterMs }
}
