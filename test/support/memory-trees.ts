import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import type { CheckpointRow, TreeReader, TreeRow } from '../../src/audit/index.ts'

const leaf = (text: string): Buffer => createHash('sha256').update('\0').update(text).digest()
const node = (left: Buffer, right: Buffer): Buffer =>
  createHash('sha256').update('\x01').update(left).update(right).digest()

/** RFC 6962 section 2.1, word for word: slow, and a second opinion on what is tested with it. */
function rootOf(leaves: readonly Buffer[]): Buffer {
  const [first] = leaves
  if (first === undefined) return createHash('sha256').digest()
  if (leaves.length === 1) return first
  let split = 1
  while (split * 2 < leaves.length) split *= 2
  return node(rootOf(leaves.slice(0, split)), rootOf(leaves.slice(split)))
}

/** Trees in memory, under a key of their own, that a test can grow, sign, put back and take another way. */
export class MemoryTrees implements TreeReader {
  readonly #key: { readonly privateKey: KeyObject; readonly publicKey: KeyObject }
  readonly #leaves = new Map<string, Buffer[]>()
  readonly #checkpoints: CheckpointRow[] = []

  constructor(key = generateKeyPairSync('ed25519')) {
    this.#key = key
  }

  get key() {
    return this.#key
  }

  /** Raw public key, for those who check. */
  get rawKey(): Buffer {
    return Buffer.from(this.#key.publicKey.export({ format: 'jwk' }).x ?? '', 'base64url')
  }

  /** Adds leaves and signs the tree. Gives the note. */
  grow(namespace: string, count: number, what = 'record', period = '2026-11'): string {
    const name = `${namespace}/${period}`
    const leaves = this.#leaves.get(name) ?? []
    for (let added = 0; added < count; added++) leaves.push(leaf(`${what} ${leaves.length}`))
    this.#leaves.set(name, leaves)
    const origin = originOf(namespace, period)
    const text = `${origin}\n${leaves.length}\n${rootOf(leaves).toString('base64')}\n`
    const id = createHash('sha256').update(`${origin}\n\x01`).update(this.rawKey).digest().subarray(0, 4)
    const signature = Buffer.concat([id, sign(null, Buffer.from(text), this.#key.privateKey)]).toString('base64')
    const note = `${text}\n\u2014 ${origin} ${signature}\n`
    const ordinal = this.#checkpoints.length + 1
    this.#checkpoints.push({ ordinal, namespace, period, size: leaves.length, timeMs: 1_795_000_000_000, note })
    return note
  }

  /** The same log, as it was when it had so many leaves: a backup that was put back. */
  backup(namespace: string, size: number, period = '2026-11'): MemoryTrees {
    const back = new MemoryTrees(this.#key)
    const name = `${namespace}/${period}`
    back.#leaves.set(name, (this.#leaves.get(name) ?? []).slice(0, size))
    back.grow(namespace, 0, '', period)
    return back
  }

  async publicKeyLine(): Promise<string | null> {
    return null
  }

  async keyChanges(): Promise<string[]> {
    return []
  }

  async trees(): Promise<TreeRow[]> {
    return [...this.#leaves.keys()].map((name, at) => {
      const [namespace = '', period = ''] = name.split('/')
      return { ordinal: at + 1, namespace, period, firstIndex: 0 }
    })
  }

  async checkpoints(fromOrdinal: number, limit: number): Promise<CheckpointRow[]> {
    return this.#checkpoints.filter(({ ordinal }) => ordinal >= fromOrdinal).slice(0, limit)
  }

  async newestCheckpoint(namespace: string, period: string, upTo = Infinity): Promise<CheckpointRow | null> {
    return (
      this.#checkpoints.findLast((row) => row.namespace === namespace && row.period === period && row.size <= upTo) ??
      null
    )
  }

  async hashes(namespace: string, period: string, level: number, from: number, to: number): Promise<Uint8Array[]> {
    const leaves = this.#leaves.get(`${namespace}/${period}`) ?? []
    const width = 256 ** level
    const found = []
    for (let at = from; at < to && (at + 1) * width <= leaves.length; at++)
      found.push(rootOf(leaves.slice(at * width, (at + 1) * width)))
    return found
  }

  async close(): Promise<void> {}
}

/** What the checkpoints of such a tree are signed as. */
export function originOf(namespace: string, period = '2026-11'): string {
  return `mcpworks/0123456789abcdef/${namespace}/${period}`
}
