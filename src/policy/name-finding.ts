/** Something that a policy names and that is not there. */
export interface NameFinding {
  readonly message: string
  readonly hint: string | null
  /** UTF-16 offset in the policy's text. */
  readonly offset: number
  readonly severity: 'error' | 'warning'
}
