import type { AuditReader, CheckpointRow, RecordRow, TreeRow } from './audit-reader.ts'
import { periodEndMs } from './log-period.ts'
import { LogTree, tileWidth, type FullTile } from './log-tree.ts'
import { treeHashBytes } from './rfc6962.ts'
import type { Findings } from './verify-report.ts'

/** A checkpoint that waits for its size. */
export interface ExpectedRoot {
  readonly size: number
  readonly root: Uint8Array
  /** Places in the succession of the keys that signed it. Never empty. */
  readonly signedBy: readonly number[]
  /** `null` for a checkpoint that was kept elsewhere. */
  readonly stored: Pick<CheckpointRow, 'ordinal' | 'timeMs'> | null
}

/** Which key is to sign a tree at a size. */
export interface KeyInForce {
  /** Its place in the succession. */
  readonly key: number
  /** Whether the newest leaf puts it in force, and the key before it is to sign there too. */
  readonly isNew: boolean
}

/** Grows one tree again and holds it against its tiles and signed checkpoints. */
export class TreeCheck {
  readonly origin: string
  readonly #reader: AuditReader
  readonly #findings: Findings
  readonly #namespace: string
  readonly #row: TreeRow
  readonly #endMs: number
  readonly #nextSeq: number
  readonly #tree = new LogTree()
  /** Records of the level-0 tile that is being filled, to name the one where a stored tile differs. */
  #recent: RecordRow[] = []
  readonly #expected: ExpectedRoot[] = []
  #isSorted = true
  #signed = 0
  /** After a wrong root, or a record too many or too few, all later roots and tiles differ: they say nothing new. */
  #broken = false

  /** `nextSeq`: what comes from there on is not hashed into tiles yet. */
  constructor(parts: {
    reader: AuditReader
    findings: Findings
    namespace: string
    row: TreeRow
    origin: string
    nextSeq: number
  }) {
    this.#reader = parts.reader
    this.#findings = parts.findings
    this.#namespace = parts.namespace
    this.#row = parts.row
    this.#endMs = periodEndMs(parts.row.period)
    this.#nextSeq = parts.nextSeq
    this.origin = parts.origin
  }

  get row(): TreeRow {
    return this.#row
  }

  get size(): number {
    return this.#tree.size
  }

  root(): Uint8Array {
    return this.#tree.root()
  }

  /** Leaves under the newest root that was right. */
  get signed(): number {
    return this.#signed
  }

  /** Whether something was found that makes every later root differ. */
  get isBroken(): boolean {
    return this.#broken
  }

  /** Keeps a root until its size is reached. */
  expect(root: ExpectedRoot): void {
    this.#expected.push(root)
    this.#isSorted = false
  }

  /** Says that records are missing, or too many. */
  doubt(): void {
    this.#broken = true
  }

  /**
   * Adds a record's leaf and compares what is due. `null` where that is done, which it is but for one record in 256: to
   * wait for what is there costs as much as comparing it.
   */
  take(row: RecordRow, leaf: Uint8Array, inForce: KeyInForce): Promise<void> | null {
    this.#sort()
    this.#recent.push(row)
    const full = this.#tree.append(leaf)
    if (full.length > 0) return this.#takeFull(full, row, inForce)
    this.#compareDue(row, inForce)
    return null
  }

  async #takeFull(full: readonly FullTile[], row: RecordRow, inForce: KeyInForce): Promise<void> {
    for (const tile of full) if (!this.#broken) await this.#compareTile(tile, row.seq)
    this.#recent = []
    this.#compareDue(row, inForce)
  }

  #compareDue(row: RecordRow, inForce: KeyInForce): void {
    if (row.timeMs >= this.#endMs) this.#late(row)
    for (let due = this.#expected[0]; due !== undefined && due.size <= this.#tree.size; due = this.#expected[0]) {
      this.#expected.shift()
      this.#compareSigners(due, row, inForce)
      this.#compareRoot(due, row)
    }
  }

  /** After the last record: what was signed must have been there. `closedBy` is the record that begins the next tree. */
  finish(closedBy: RecordRow | null): void {
    const { size } = this.#tree
    const index = this.#row.firstIndex + size
    const at = closedBy?.seq ?? Number.MAX_SAFE_INTEGER - 1
    const fail = (problem: string) =>
      this.#findings.checkpoint(at, { namespace: this.#namespace, index, id: null, problem })
    const end = this.#expected.at(-1)?.size
    if (this.#broken) return
    if (end !== undefined)
      fail(`A signed checkpoint covers ${end} records, but only ${size} are there: the newest were cut off.`)
    else if (closedBy !== null && closedBy.seq < this.#nextSeq && this.#signed < size)
      fail(`The tree was closed, and no signed checkpoint covers its ${size} records.`)
  }

  #sort(): void {
    if (this.#isSorted) return
    this.#expected.sort((one, other) => one.size - other.size)
    this.#isSorted = true
  }

  #late(row: RecordRow): void {
    const { index, id } = row
    const problem = `It is of a later month than the tree that it lies in (${this.#row.period}).`
    this.#findings.record(row.seq, { namespace: this.#namespace, index, id, problem })
  }

  /** A key that was replaced signs nothing more, whoever has come to have it. */
  #compareSigners(due: ExpectedRoot, row: RecordRow, { key, isNew }: KeyInForce): void {
    const problem = due.signedBy.includes(key)
      ? isNew &&
        due.stored !== null &&
        !due.signedBy.includes(key - 1) &&
        'is not signed by the key that is replaced there'
      : "is signed by a key that is not the log's there"
    if (problem === false || due.size !== this.#tree.size) return
    const index = this.#row.firstIndex + due.size - 1
    const where = { namespace: this.#namespace, index, id: row.id }
    this.#findings.checkpoint(row.seq, { ...where, problem: `${nameOf(due)} ${problem}.` })
  }

  #compareRoot(due: ExpectedRoot, row: RecordRow): void {
    if (this.#broken) return
    const namespace = this.#namespace
    const { firstIndex } = this.#row
    const name = nameOf(due)
    const fail = (index: number, problem: string) =>
      this.#findings.checkpoint(row.seq, { namespace, index, id: index === row.index ? row.id : null, problem })
    if (due.size !== this.#tree.size) return fail(firstIndex + due.size - 1, `${name} is out of order.`)
    if (Buffer.compare(due.root, this.#tree.root()) !== 0) {
      this.#broken = true
      const [from, to] = [firstIndex + this.#signed, firstIndex + due.size - 1]
      return fail(from, `${name} was signed over other records: one of ${from} to ${to} was changed.`)
    }
    this.#signed = due.size
    if (due.stored !== null && due.stored.timeMs !== row.timeMs)
      fail(firstIndex + due.size - 1, `${name} does not bear the time of its newest record.`)
  }

  async #compareTile(tile: FullTile, seq: number): Promise<void> {
    if (seq >= this.#nextSeq) return
    this.#findings.tiles.checked += 1
    const { firstIndex, period } = this.#row
    const first = firstIndex + tile.index * tileWidth ** (tile.level + 1)
    const fail = (index: number, id: string | null, problem: string) =>
      this.#findings.tile(seq, { namespace: this.#namespace, index, id, problem })
    const stored = await this.#reader.tile(this.#namespace, period, tile.level, tile.index)
    const name = `Tile ${tile.index} of level ${tile.level}`
    if (stored === null) return fail(first, null, `${name} is missing.`)
    if (Buffer.compare(stored.hashes, tile.hashes) !== 0) {
      const row =
        tile.level === 0 ? this.#recent.find((_, place) => differs(tile.hashes, stored.hashes, place)) : undefined
      return fail(
        row?.index ?? first,
        row?.id ?? null,
        `${name} holds other hashes than the records give: a record or the tile was changed.`,
      )
    }
    if (Buffer.compare(stored.root, tile.root) !== 0) fail(first, null, `${name} has a root that is not its own.`)
  }
}

/** Whether two tiles have different hashes at a place. */
function differs(one: Uint8Array, other: Uint8Array, place: number): boolean {
  const [from, to] = [place * treeHashBytes, (place + 1) * treeHashBytes]
  return Buffer.compare(one.subarray(from, to), other.subarray(from, to)) !== 0
}

function nameOf({ stored }: ExpectedRoot): string {
  return stored === null ? 'A checkpoint that was kept elsewhere' : `Checkpoint ${stored.ordinal}`
}
