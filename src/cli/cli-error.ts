import type { ExitCode } from './exit-code.ts'

/** An expected failure of a command: printed as a sentence, without a stack trace. */
export class CliError extends Error {
  override readonly name = 'CliError'
  readonly code: ExitCode
  /** What to do about it. */
  readonly hint: string | null
  /** For `--json`. */
  readonly data: { readonly [key: string]: unknown }

  constructor(
    code: ExitCode,
    message: string,
    hint: string | null = null,
    data: { readonly [key: string]: unknown } = {},
  ) {
    super(message)
    this.code = code
    this.hint = hint
    this.data = data
  }
}
