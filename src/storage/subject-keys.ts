import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { dataKeyPurpose, unwrapKey, wrapKey, wrapsKeyOf, type DataKeyOwner } from './data-keys.ts'

const keptKeys = 10_000

/** A data key as it is used. */
export interface SubjectKey {
  /** Its number in the table of keys. */
  readonly id: number
  readonly key: KeyObject
}

/**
 * The keys under which the writer seals bodies: one for each principal in each log, so that deleting a principal's keys
 * erases its bodies and nobody else's. A key lives for one epoch, so that none comes near the number of messages that
 * AES-GCM bears. Keeps the 10,000 that were used last in memory.
 */
export class SubjectKeys {
  readonly #database: DatabaseSync
  readonly #identity: { readonly masterKey: Uint8Array; readonly epoch: number }
  /** By log and subject, the one used last at the end. */
  readonly #kept = new Map<string, SubjectKey>()

  constructor(database: DatabaseSync, identity: { readonly masterKey: Uint8Array; readonly epoch: number }) {
    this.#database = database
    this.#identity = identity
  }

  /**
   * The key of a subject in a log; makes one where there is none. Must be called inside a transaction.
   * @throws SQLite's own errors; McpworksError `storage_unavailable` for a wrong master key
   */
  keyFor(log: number, namespace: string, subject: string): SubjectKey {
    const name = `${log} ${subject}`
    const kept = this.#kept.get(name)
    if (kept !== undefined) this.#kept.delete(name)
    const found = kept ?? this.#load(log, namespace, subject)
    this.#kept.set(name, found)
    if (this.#kept.size > keptKeys) {
      const [oldest] = this.#kept.keys()
      if (oldest !== undefined) this.#kept.delete(oldest)
    }
    return found
  }

  /** Whether a wrapped key is that owner's. */
  isOf(owner: DataKeyOwner, wrapped: Uint8Array): boolean {
    return wrapsKeyOf(this.#identity.masterKey, owner, wrapped)
  }

  /** Forgets a subject's key in a log: it was deleted. */
  forget(log: number, subject: string): void {
    this.#kept.delete(`${log} ${subject}`)
  }

  #load(log: number, namespace: string, subject: string): SubjectKey {
    const { masterKey, epoch } = this.#identity
    const purpose = dataKeyPurpose({ namespace, subject, epoch })
    const row = this.#database
      .prepare('SELECT data_key, wrapped FROM data_keys WHERE subject = ? AND log = ? AND epoch = ?')
      .get(subject, log, epoch)
    if (row !== undefined) {
      const key = createSecretKey(unwrapKey(masterKey, purpose, row['wrapped'] as Uint8Array))
      return { id: Number(row['data_key']), key }
    }
    const made = randomBytes(32)
    const { lastInsertRowid } = this.#database
      .prepare('INSERT INTO data_keys (log, subject, epoch, wrapped) VALUES (?, ?, ?, ?)')
      .run(log, subject, epoch, wrapKey(masterKey, purpose, made))
    return { id: Number(lastInsertRowid), key: createSecretKey(made) }
  }
}
