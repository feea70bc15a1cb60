import { McpworksError } from '../../kernel/index.ts'

/** An error of the database or of the way there, without the values that the driver's own error carries along. */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError'
  /** SQLSTATE (PostgreSQL manual, appendix A); `null` where the answer is none of the database's: the way there broke. */
  readonly sqlState: string | null

  constructor(sqlState: string | null, message: string) {
    super(message)
    this.sqlState = sqlState
  }
}

/** What the driver threw, as an error that may be logged. */
export function databaseError(cause: unknown): DatabaseError {
  if (cause instanceof DatabaseError) return cause
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : null
  const sqlState =
    code !== null && /^[0-9A-Z]{5}$/.test(code) && cause instanceof Error && 'severity' in cause ? code : null
  return new DatabaseError(sqlState, sentenceOf(cause, code, sqlState))
}

function sentenceOf(cause: unknown, code: string | null, sqlState: string | null): string {
  if (sqlState === null) {
    if (code !== null) return `the database cannot be reached (${code})`
    return cause instanceof Error ? `the connection to the database broke: ${cause.message}` : 'the database failed'
  }
  if (sqlState === '57014') return 'a statement took longer than it may, and was ended'
  switch (sqlState.slice(0, 2)) {
    // Data exceptions repeat the value in their message.
    case '22':
      return `the database does not take a value (${sqlState})`
    case '23':
      return `a constraint of the database does not hold (${sqlState})`
    case '28':
      return `the database does not let this user in (${sqlState})`
    case '53':
      return `the database is out of a resource, such as disk space or connections (${sqlState})`
    case '57':
      return `the database is shutting down or has ended this session (${sqlState})`
    default:
  }
  if (sqlState === '25006') return 'the database is read-only'
  if (sqlState === '3D000') return 'there is no such database'
  if (sqlState === '42501') return 'the database user lacks a privilege; see docs/postgresql.md'
  return `the database reports ${sqlState}: ${cause instanceof Error ? cause.message : ''}`
}

/** The same as what callers get: `storage_unavailable` with a sentence for operators. */
export function databaseUnavailable(cause: unknown): McpworksError {
  if (cause instanceof McpworksError) return cause
  const known = databaseError(cause)
  return new McpworksError('storage_unavailable', {
    message: `The database cannot be used: ${known.message}.`,
    detail: known.message,
    cause: known,
  })
}
