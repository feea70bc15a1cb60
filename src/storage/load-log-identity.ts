import { generateKeyPairSync, randomBytes } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { ed25519Signer } from '../audit/index.ts'
import type { LogIdentity } from './audit-log-state.ts'
import { unwrapKey, wrapKey } from './data-keys.ts'

const signingKeyPurpose = 'log signing key'

/**
 * Reads who this log is, or decides it at first start: an id and a signing key, wrapped under the master key.
 * @throws McpworksError `storage_unavailable` for a wrong master key; SQLite's own errors
 */
export function loadLogIdentity(database: DatabaseSync, masterKey: Uint8Array): Pick<LogIdentity, 'logId' | 'key'> {
  const get = database.prepare('SELECT value FROM meta WHERE name = ?')
  const wrapped = get.get('signing_key')?.['value'] as Uint8Array | undefined
  const logId = get.get('log_id')?.['value'] as Uint8Array | undefined
  if (wrapped !== undefined && logId !== undefined) {
    const key = ed25519Signer(unwrapKey(masterKey, signingKeyPurpose, wrapped))
    return { logId: Buffer.from(logId).toString('utf8'), key }
  }
  const made = randomBytes(8).toString('hex')
  const pkcs8 = generateKeyPairSync('ed25519').privateKey.export({ format: 'der', type: 'pkcs8' })
  const put = database.prepare('INSERT INTO meta (name, value) VALUES (?, ?)')
  database.exec('BEGIN IMMEDIATE')
  put.run('log_id', Buffer.from(made))
  put.run('signing_key', wrapKey(masterKey, signingKeyPurpose, pkcs8))
  database.exec('COMMIT')
  return { logId: made, key: ed25519Signer(pkcs8) }
}
