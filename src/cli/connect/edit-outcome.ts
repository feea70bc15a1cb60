/** A changed text, or why it was left alone. */
export type EditOutcome =
  | { readonly ok: true; readonly text: string }
  /** `line` and `column` count from 1, where the place of the mistake is known. */
  | { readonly ok: false; readonly problem: string; readonly line?: number; readonly column?: number }
