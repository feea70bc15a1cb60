import { randomBytes } from 'node:crypto'
import { ed25519Signer, verifierKey, type NoteSigner } from '../../../audit/index.ts'
import { unwrapKey } from '../../data-keys.ts'
import { makeSigningKey, signingKeyPurpose } from '../../load-log-identity.ts'
import { migrateSchema } from '../migrate-schema.ts'
import type { Session } from '../session.ts'
import { migrationLock, releaseAdvisoryLock, takeAdvisoryLock } from './advisory-locks.ts'
import { logMigrations, logSchema } from './log-migrations.ts'

/** Who a decision log is. */
export interface PostgresLogIdentity {
  readonly logId: string
  readonly key: Omit<NoteSigner, 'name'>
  /** Verifier key lines, one for each key that the log has had, the oldest first. */
  readonly keyLines: readonly string[]
}

/**
 * Brings the log's tables up to date and reads who the log is, or decides it at the first start: an id and a signing key,
 * wrapped under the master key. One session at a time does this.
 * @throws McpworksError `storage_unavailable` for a wrong master key or tables of a newer version; DatabaseError
 */
export async function prepareLog(session: Session, masterKey: Uint8Array): Promise<PostgresLogIdentity> {
  await takeAdvisoryLock(session, migrationLock)
  try {
    await migrateSchema(session, logSchema, logMigrations)
    return (await readLogIdentity(session, masterKey)) ?? (await makeLogIdentity(session, masterKey))
  } finally {
    if (session.ended === null) await releaseAdvisoryLock(session, migrationLock)
  }
}

/**
 * Who the log is; `null` where that was never decided. The key can be replaced by whoever has the sequencer's lock.
 * @throws McpworksError `storage_unavailable` for a wrong master key; DatabaseError
 */
export async function readLogIdentity(session: Session, masterKey: Uint8Array): Promise<PostgresLogIdentity | null> {
  const { rows } = await session.query(
    "SELECT name, value FROM meta WHERE name IN ('log_id', 'signing_key', 'verifier_key')",
  )
  const values = new Map(rows.map((row) => [String(row['name']), row['value'] as Uint8Array]))
  const [logId, wrapped] = [values.get('log_id'), values.get('signing_key')]
  if (logId === undefined || wrapped === undefined) return null
  const key = ed25519Signer(unwrapKey(masterKey, signingKeyPurpose, wrapped))
  const lines = Buffer.from(values.get('verifier_key') ?? []).toString('utf8')
  return { logId: Buffer.from(logId).toString('utf8'), key, keyLines: lines.split('\n') }
}

async function makeLogIdentity(session: Session, masterKey: Uint8Array): Promise<PostgresLogIdentity> {
  const logId = randomBytes(8).toString('hex')
  const { key, wrapped } = makeSigningKey(masterKey)
  const line = verifierKey({ name: `mcpworks/${logId}`, publicKey: key.publicKey })
  await session.query(
    "INSERT INTO meta (name, value) VALUES ('log_id', $1), ('signing_key', $2), ('verifier_key', $3)",
    [Buffer.from(logId), Buffer.from(wrapped), Buffer.from(line)],
  )
  return { logId, key, keyLines: [line] }
}
