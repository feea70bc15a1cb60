import { McpworksError } from '../kernel/index.ts'

/** The primary result code of an error of `node:sqlite` (sqlite.org/rescode.html), 0 where it is none of SQLite's. */
function sqliteCode(error: unknown): number {
  return extendedCode(error) & 0xff
}

/** The extended result code, 0 where it is none of SQLite's. */
export function extendedCode(error: unknown): number {
  return error instanceof Error && 'errcode' in error ? Number(error.errcode) : 0
}

/** Whether the operating system failed to read, write or sync. What was on its way may be on disk or not. */
export function isInputOutputError(error: unknown): boolean {
  return sqliteCode(error) === 10
}

/** Whether a file is no database, or one that contradicts itself. */
export function isDamage(error: unknown): boolean {
  return [11, 26].includes(sqliteCode(error))
}

/** A sentence for operators on why a database cannot be written. Names no path. */
export function failureReason(error: unknown): string {
  switch (sqliteCode(error)) {
    case 13:
      return 'the disk is full'
    case 8:
      return 'the data directory is read-only'
    case 10:
      return 'the disk reports an input/output error'
    case 14:
      return 'the database file cannot be opened'
    case 11:
    case 26:
      return 'the database file is damaged'
    case 5:
    case 6:
      return 'another process holds the database'
    default:
      if (error instanceof McpworksError) return error.detail ?? error.message
      return error instanceof Error ? `the database reports: ${error.message}` : 'the database failed'
  }
}
