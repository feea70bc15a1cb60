import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto'
import { dataKeyPurpose, unwrapKey, wrapKey, wrapsKeyOf, type DataKeyOwner } from '../../data-keys.ts'
import type { SubjectKey } from '../../subject-keys.ts'
import type { Session } from '../session.ts'

const keptKeys = 10_000

/** Whose bodies a key seals. */
interface KeyOwner {
  readonly log: number
  readonly namespace: string
  readonly subject: string
}

/**
 * The keys under which a writer seals bodies: one for each principal, log and epoch, like `SubjectKeys` for SQLite.
 * Keeps the 10,000 that were used last in memory.
 */
export class WriterKeys {
  readonly #masterKey: Uint8Array
  readonly #writer: number
  readonly #epoch: number
  readonly #kept = new Map<string, SubjectKey>()

  constructor(parts: { readonly masterKey: Uint8Array; readonly writer: number; readonly epoch: number }) {
    this.#masterKey = parts.masterKey
    this.#writer = parts.writer
    this.#epoch = parts.epoch
  }

  /** A key that was found before, and not forgotten since. */
  get(log: number, subject: string): SubjectKey {
    const name = `${log} ${subject}`
    const kept = this.#kept.get(name)
    if (kept === undefined) throw new RangeError('a key that was not looked up')
    this.#kept.delete(name)
    this.#kept.set(name, kept)
    return kept
  }

  /** Looks up the keys of all these owners, and makes those that are missing. @throws DatabaseError */
  async find(session: Session, owners: Iterable<KeyOwner>): Promise<void> {
    for (const owner of owners) {
      const name = `${owner.log} ${owner.subject}`
      if (this.#kept.has(name)) continue
      this.#kept.set(name, (await this.#read(session, owner)) ?? (await this.#make(session, owner)))
    }
  }

  /** Lets go of what has not been used for long. Not between `find` and `get`. */
  trim(): void {
    for (const name of this.#kept.keys()) {
      if (this.#kept.size <= keptKeys) return
      this.#kept.delete(name)
    }
  }

  /** Whether a wrapped key is that owner's. */
  isOf(owner: DataKeyOwner, wrapped: Uint8Array): boolean {
    return wrapsKeyOf(this.#masterKey, owner, wrapped)
  }

  /** Forgets all keys: one of them was deleted. */
  clear(): void {
    this.#kept.clear()
  }

  async #read(session: Session, owner: KeyOwner): Promise<SubjectKey | null> {
    const { rows } = await session.query(
      'SELECT data_key, wrapped FROM data_keys WHERE subject = $1 AND log = $2 AND writer = $3 AND epoch = $4',
      [owner.subject, owner.log, this.#writer, this.#epoch],
    )
    const [row] = rows
    if (row === undefined) return null
    const key = unwrapKey(this.#masterKey, this.#purpose(owner), row['wrapped'] as Uint8Array)
    return { id: Number(row['data_key']), key: createSecretKey(key) }
  }

  async #make(session: Session, owner: KeyOwner): Promise<SubjectKey> {
    const made = randomBytes(32)
    const { rows } = await session.query(
      'INSERT INTO data_keys (log, subject, writer, epoch, wrapped) VALUES ($1, $2, $3, $4, $5) RETURNING data_key',
      [
        owner.log,
        owner.subject,
        this.#writer,
        this.#epoch,
        Buffer.from(wrapKey(this.#masterKey, this.#purpose(owner), made)),
      ],
    )
    const key: KeyObject = createSecretKey(made)
    return { id: Number(rows[0]?.['data_key']), key }
  }

  #purpose({ namespace, subject }: KeyOwner): string {
    return dataKeyPurpose({ namespace, subject, epoch: this.#epoch })
  }
}
