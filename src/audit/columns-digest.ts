import { createHash } from 'node:crypto'
import type { Digest } from '../kernel/index.ts'

/** What is left of a record in its row once its text was let go, besides its place and the hash of the text. */
export interface LeftColumns {
  readonly index: number
  readonly id: string
  readonly timeMs: number
  readonly kind: string
  readonly call: string
}

/**
 * SHA-256 over the columns that stay of records whose texts are let go, in the order of their positions. The record of the
 * removal holds it, so that what stays is vouched for although no text is there to compare it with.
 */
export class ColumnsDigest {
  readonly #hash = createHash('sha256')
  #count = 0

  add({ index, id, timeMs, kind, call }: LeftColumns): void {
    this.#hash.update(`${JSON.stringify([index, id, timeMs, kind, call])}\n`)
    this.#count += 1
  }

  /** Records so far. */
  get count(): number {
    return this.#count
  }

  /** Ends it. */
  digest(): Digest {
    return `sha256:${this.#hash.digest('hex')}`
  }
}
