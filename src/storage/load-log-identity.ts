import { generateKeyPairSync, randomBytes } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { ed25519Signer, type NoteSigner } from '../audit/index.ts'
import type { LogIdentity } from './audit-log-state.ts'
import { unwrapKey, wrapKey } from './data-keys.ts'

/** The wrapped half of a signing key and what it signs with. */
interface MadeKey {
  readonly key: Omit<NoteSigner, 'name'>
  readonly wrapped: Uint8Array
}

/** The purpose under which a log's signing key is wrapped. */
export const signingKeyPurpose = 'log signing key'

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
  const { key, wrapped: madeWrapped } = makeSigningKey(masterKey)
  const put = database.prepare('INSERT INTO meta (name, value) VALUES (?, ?)')
  database.exec('BEGIN IMMEDIATE')
  put.run('log_id', Buffer.from(made))
  put.run('signing_key', madeWrapped)
  database.exec('COMMIT')
  return { logId: made, key }
}

/** Puts a new signing key in the place of the one that is stored, which is gone with the commit. @throws SQLite's own errors */
export function replaceSigningKey(database: DatabaseSync, { wrapped }: MadeKey): void {
  database.prepare("UPDATE meta SET value = ? WHERE name = 'signing_key'").run(wrapped)
}

/** A new signing key, wrapped under the master key. */
export function makeSigningKey(masterKey: Uint8Array): MadeKey {
  const pkcs8 = generateKeyPairSync('ed25519').privateKey.export({ format: 'der', type: 'pkcs8' })
  return { key: ed25519Signer(pkcs8), wrapped: wrapKey(masterKey, signingKeyPurpose, pkcs8) }
}
