import { McpworksError } from '../../kernel/index.ts'
import { databaseUnavailable } from './database-failure.ts'
import type { DatabaseOptions } from './database-options.ts'
import { readLeaseRow } from './lease-row.ts'
import { stateSchema } from './lease-session.ts'
import { requireTrustworthy } from './require-trustworthy.ts'
import { Session } from './session.ts'

/** What a look at the database found. */
export type DatabaseFinding =
  | {
      readonly ok: true
      /** `15.4`. */
      readonly version: string
      /** Whether the way there is encrypted. It goes without TLS only on this machine. */
      readonly tls: boolean
      /** Name of the machine whose server is active or was the last to be; `null` in a new database. */
      readonly active: string | null
    }
  | { readonly ok: false; readonly problem: string }

/** Looks whether a server could work on the database. Changes nothing and takes no lock. */
export async function examineDatabase(database: DatabaseOptions): Promise<DatabaseFinding> {
  let session: Session | null = null
  try {
    session = await Session.open({ database, applicationName: 'mcpworks doctor' })
    await requireTrustworthy(session)
    const { rows } = await session.query(
      `SELECT current_setting('server_version') AS version,
         coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false) AS tls,
         (SELECT has_schema_privilege(oid, 'CREATE, USAGE') FROM pg_namespace WHERE nspname = $1) AS may_use,
         has_database_privilege(current_database(), 'CREATE') AS may_create`,
      [stateSchema],
    )
    const [found = {}] = rows
    if (found['may_use'] === false || (found['may_use'] === null && found['may_create'] === false)) {
      return { ok: false, problem: `the database user may not make tables in the schema ${stateSchema}` }
    }
    const row = await readLeaseRow(session)
    return { ok: true, version: String(found['version']), tls: found['tls'] === true, active: row?.host ?? null }
  } catch (error) {
    const known = error instanceof McpworksError ? error : databaseUnavailable(error)
    return { ok: false, problem: known.message }
  } finally {
    await session?.close()
  }
}
