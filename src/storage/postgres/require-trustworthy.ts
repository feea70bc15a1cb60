import { McpworksError } from '../../kernel/index.ts'
import type { Session } from './session.ts'

const oldestVersion = 140_000

/**
 * Looks whether what this server acknowledges is kept: a commit is answered after it is on disk (`synchronous_commit`),
 * the disk is waited for (`fsync`), a page that was half written before a power cut is restored (`full_page_writes`), and
 * text is kept as it is (UTF-8). `synchronous_commit` is turned on for the session where it is not; the others are the
 * operator's to change.
 * @throws McpworksError `storage_unavailable` naming the setting; DatabaseError
 */
export async function requireTrustworthy(session: Session): Promise<void> {
  const { rows } = await session.query(
    `SELECT current_setting('server_version_num')::int AS version, current_setting('fsync') AS fsync,
       current_setting('full_page_writes') AS full_page_writes, current_setting('server_encoding') AS encoding,
       current_setting('synchronous_commit') AS synchronous_commit,
       pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on' AS read_only`,
  )
  const [found = {}] = rows
  if (Number(found['version']) < oldestVersion) throw unfit('is older than PostgreSQL 14')
  if (found['encoding'] !== 'UTF8') throw unfit('does not keep text as UTF8; make it with ENCODING UTF8')
  if (found['fsync'] !== 'on') throw unfit('has fsync off, and would lose records in a crash; turn it on')
  if (found['full_page_writes'] !== 'on') throw unfit('has full_page_writes off; turn it on')
  if (found['read_only'] !== false) throw unfit('is read-only, or a replica; name the primary')
  // With remote_apply a commit waits for more than with on, never for less.
  if (found['synchronous_commit'] === 'on' || found['synchronous_commit'] === 'remote_apply') return
  await session.query('SET synchronous_commit = on')
}

function unfit(what: string): McpworksError {
  return new McpworksError('storage_unavailable', { message: `The database ${what} (docs/postgresql.md).` })
}
