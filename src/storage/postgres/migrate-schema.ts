import { McpworksError } from '../../kernel/index.ts'
import type { Session } from './session.ts'

/**
 * Brings the tables of one schema up to date, each step in a transaction of its own with the number that it reached.
 * The schema is made where it is missing and may be. Only for the session that holds the lock which keeps others away.
 * @throws McpworksError `storage_unavailable` where a newer version wrote it; DatabaseError
 */
export async function migrateSchema(session: Session, schema: string, migrations: readonly string[]): Promise<void> {
  const existing = await session.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [schema])
  // Asked first, because CREATE SCHEMA needs a privilege on the database even where it has nothing to do.
  if (existing.rows.length === 0) await session.query(`CREATE SCHEMA ${schema}`)
  await session.query(
    `CREATE TABLE IF NOT EXISTS ${schema}.schema_version (
       one BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (one), version BIGINT NOT NULL
     )`,
  )
  const { rows } = await session.query(`SELECT version FROM ${schema}.schema_version`)
  const version = Number(rows[0]?.['version'] ?? 0)
  if (version > migrations.length) {
    throw new McpworksError('storage_unavailable', {
      message: 'The database was written by a newer version. Start that version, or restore a backup.',
    })
  }
  for (const [position, script] of migrations.entries()) {
    if (position < version) continue
    await session.query('BEGIN')
    try {
      await session.query(script)
      await session.query(
        `INSERT INTO ${schema}.schema_version (version) VALUES ($1) ON CONFLICT (one) DO UPDATE SET version = excluded.version`,
        [position + 1],
      )
      await session.query('COMMIT')
    } catch (error) {
      await session.query('ROLLBACK').catch(() => {})
      throw error
    }
  }
}
