import { createSecretKey, type KeyObject } from 'node:crypto'
import { dataKeyPurpose, unwrapKey } from './data-keys.ts'

const keptKeys = 10_000

/** The members of a row that a data key is read from; all `null` where the key was erased. */
export interface DataKeyRow {
  readonly data_key: number
  readonly wrapped: Uint8Array | null
  readonly subject: string | null
  readonly epoch: number | null
  readonly namespace: string | null
}

/** Unwraps data keys, and keeps the last ones: there can be as many as principals and starts. */
export class OpenedDataKeys {
  readonly #masterKey: Uint8Array
  readonly #kept = new Map<number, KeyObject>()

  constructor(masterKey: Uint8Array) {
    this.#masterKey = masterKey
  }

  /**
   * The key of a row that was read just then; `null` where the row says that the key is gone.
   * @throws McpworksError `storage_unavailable` where it does not unwrap under the master key
   */
  open({ data_key: id, wrapped, subject, epoch, namespace }: DataKeyRow): KeyObject | null {
    if (wrapped === null || subject === null || epoch === null || namespace === null) {
      this.#kept.delete(id)
      return null
    }
    const kept = this.#kept.get(id)
    if (kept !== undefined) return kept
    const purpose = dataKeyPurpose({ namespace, subject, epoch })
    const key = createSecretKey(unwrapKey(this.#masterKey, purpose, wrapped))
    this.#kept.set(id, key)
    if (this.#kept.size > keptKeys) {
      const [oldest] = this.#kept.keys()
      if (oldest !== undefined) this.#kept.delete(oldest)
    }
    return key
  }
}
