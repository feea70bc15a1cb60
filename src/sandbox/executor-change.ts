/** How an executor process ended. */
export interface ExecutorEnd {
  /** `null` of one that a signal ended, or that could not be started. */
  readonly exitCode: number | null
  readonly signal: string | null
  /** It sent what is not of the protocol, and was killed for that. */
  readonly brokeProtocol: boolean
  /** The last of what it wrote on stderr, at most 16,384 characters. Not looked at: hosted code may have had a part in it. */
  readonly stderr: string
}

/** What becomes of the executor after the start. Nothing is told of an end that `close` brought about. */
export type ExecutorChange =
  | {
      readonly type: 'lost'
      readonly end: ExecutorEnd
      /** How many executions ended with it. */
      readonly executions: number
    }
  /** It could not be started again, and will be tried again. */
  | { readonly type: 'not-started'; readonly error: unknown }
  /** Another one has passed its self-test. */
  | { readonly type: 'started' }
