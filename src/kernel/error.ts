import { errorTable, type ErrorCode } from './errors.ts'

/** What an error carries besides its code. */
export interface ErrorDetails {
  /** Replaces the table's public sentence. Shown to callers: no credential, no path, no internal name. */
  readonly message?: string
  /** For the log only. Still no credential. */
  readonly detail?: string
  /** Shown to callers as structured data. */
  readonly data?: { readonly [key: string]: unknown }
  readonly cause?: unknown
}

/** The one error class. The code decides status, JSON-RPC code and sentence through the error table. */
export class McpworksError extends Error {
  override readonly name = 'McpworksError'
  readonly code: ErrorCode
  readonly detail: string | undefined
  readonly data: { readonly [key: string]: unknown } | undefined

  constructor(code: ErrorCode, details: ErrorDetails = {}) {
    super(
      details.message ?? errorTable[code].message,
      details.cause === undefined ? undefined : { cause: details.cause },
    )
    this.code = code
    this.detail = details.detail
    this.data = details.data
  }
}
