import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { ed25519Signer, verifierKey, type NoteSigner } from '../../../audit/index.ts'
import { unwrapKey, wrapKey } from '../../data-keys.ts'
import { migrateSchema } from '../migrate-schema.ts'
import type { Session } from '../session.ts'
import { migrationLock, releaseAdvisoryLock, takeAdvisoryLock } from './advisory-locks.ts'
import { logMigrations, logSchema } from './log-migrations.ts'

const signingKeyPurpose = 'log signing key'

/** Who a decision log is. */
export interface PostgresLogIdentity {
  readonly logId: string
  readonly key: Omit<NoteSigner, 'name'>
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

/** @throws McpworksError `storage_unavailable` for a wrong master key; DatabaseError */
async function readLogIdentity(session: Session, masterKey: Uint8Array): Promise<PostgresLogIdentity | null> {
  const { rows } = await session.query("SELECT name, value FROM meta WHERE name IN ('log_id', 'signing_key')")
  const values = new Map(rows.map((row) => [String(row['name']), row['value'] as Uint8Array]))
  const [logId, wrapped] = [values.get('log_id'), values.get('signing_key')]
  if (logId === undefined || wrapped === undefined) return null
  const key = ed25519Signer(unwrapKey(masterKey, signingKeyPurpose, wrapped))
  return { logId: Buffer.from(logId).toString('utf8'), key }
}

async function makeLogIdentity(session: Session, masterKey: Uint8Array): Promise<PostgresLogIdentity> {
  const logId = randomBytes(8).toString('hex')
  const pkcs8 = generateKeyPairSync('ed25519').privateKey.export({ format: 'der', type: 'pkcs8' })
  const key = ed25519Signer(pkcs8)
  await session.query(
    "INSERT INTO meta (name, value) VALUES ('log_id', $1), ('signing_key', $2), ('verifier_key', $3)",
    [
      Buffer.from(logId),
      Buffer.from(wrapKey(masterKey, signingKeyPurpose, pkcs8)),
      Buffer.from(verifierKey({ name: `mcpworks/${logId}`, publicKey: key.publicKey })),
    ],
  )
  return { logId, key }
}
