import type { AuditReader, CheckpointRow, RecordRow } from './audit-reader.ts'
import { checkpointOrigin, openCheckpoint } from './checkpoint.ts'
import { LogTree, tileWidth, type FullTile } from './log-tree.ts'
import { treeHashBytes } from './rfc6962.ts'
import type { Findings, VerifyReport } from './verify-report.ts'

/** A checkpoint that was checked for its signature and waits for its size. */
interface ExpectedRoot {
  readonly size: number
  readonly root: Uint8Array
  /** `null` for a checkpoint that was kept elsewhere. */
  readonly stored: Pick<CheckpointRow, 'ordinal' | 'timeMs'> | null
}

interface NamespaceTree {
  readonly tree: LogTree
  /** Position that the next record must have. */
  nextIndex: number
  /** Leaf hashes of the level-0 tile that is being filled, to name the leaf where a stored tile differs. */
  recent: { readonly hash: Uint8Array; readonly row: RecordRow }[]
  expected: ExpectedRoot[]
  /** Leaves under the newest root that was right. */
  signed: number
  /** After a wrong root, or a record too many or too few, all later roots and tiles differ: they say nothing new. */
  broken: boolean
}

/** Grows every namespace's tree again and holds it against tiles and signed checkpoints. */
export class TreeCheck {
  readonly #reader: AuditReader
  readonly #findings: Findings
  readonly #logId: string
  readonly #publicKey: Uint8Array
  readonly #trees = new Map<string, NamespaceTree>()

  constructor(parts: { reader: AuditReader; findings: Findings; logId: string; publicKey: Uint8Array }) {
    this.#reader = parts.reader
    this.#findings = parts.findings
    this.#logId = parts.logId
    this.#publicKey = parts.publicKey
  }

  /** Checks a stored checkpoint's signature and keeps it until its size is reached. */
  expect(row: CheckpointRow): void {
    this.#findings.checkpoints.checked += 1
    const where = { namespace: row.namespace, index: row.size - 1, id: null }
    const fail = (problem: string) => this.#findings.checkpoint(Number.MAX_SAFE_INTEGER, { ...where, problem })
    if (row.namespace === null) return fail(`Checkpoint ${row.ordinal} belongs to no namespace.`)
    const origin = checkpointOrigin(this.#logId, row.namespace)
    const checkpoint = openCheckpoint(row.note, { name: origin, publicKey: this.#publicKey })
    if (checkpoint === null) return fail(`Checkpoint ${row.ordinal} bears no good signature by the log's key.`)
    if (checkpoint.origin !== origin) return fail(`Checkpoint ${row.ordinal} is for another log.`)
    if (checkpoint.size !== row.size)
      return fail(`Checkpoint ${row.ordinal} is stored for ${row.size} records and signed for ${checkpoint.size}.`)
    this.#tree(row.namespace).expected.push({
      size: row.size,
      root: checkpoint.root,
      stored: { ordinal: row.ordinal, timeMs: row.timeMs },
    })
  }

  /** Adds a checkpoint that was kept elsewhere. False where it is not a good checkpoint of this log. */
  expectForeign(note: string): boolean {
    const origin = note.slice(0, note.indexOf('\n'))
    const prefix = checkpointOrigin(this.#logId, '')
    const checkpoint = openCheckpoint(note, { name: origin, publicKey: this.#publicKey })
    if (checkpoint === null || checkpoint.origin !== origin || !origin.startsWith(prefix)) return false
    const { expected } = this.#tree(origin.slice(prefix.length))
    expected.push({ size: checkpoint.size, root: checkpoint.root, stored: null })
    expected.sort((one, other) => one.size - other.size)
    return true
  }

  /**
   * Adds a record's leaf and compares what is due. Gives the position that the record should have had where it has another.
   */
  async take(namespace: string, row: RecordRow, leaf: Uint8Array): Promise<number | null> {
    const state = this.#tree(namespace)
    const expected = state.nextIndex
    state.nextIndex = row.index + 1
    state.recent.push({ hash: leaf, row })
    const tiles = state.tree.append(leaf)
    if (row.index !== expected) state.broken = true
    for (const tile of tiles) if (!state.broken) await this.#compareTile(namespace, state, tile, row.seq)
    if (state.tree.size % tileWidth === 0) state.recent = []
    while (state.expected[0] !== undefined && state.expected[0].size <= state.tree.size) {
      const due = state.expected.shift()
      if (due !== undefined) this.#compareRoot(namespace, state, due, row)
    }
    return row.index === expected ? null : expected
  }

  /** After the last record: what was signed must have been there. */
  finish(): VerifyReport['namespaces'] {
    const names = [...this.#trees.keys()].toSorted()
    return names.map((namespace) => {
      const state = this.#tree(namespace)
      const { size } = state.tree
      const [missing] = state.expected
      if (missing !== undefined && !state.broken) {
        const end = state.expected.at(-1)?.size ?? missing.size
        this.#findings.checkpoint(Number.MAX_SAFE_INTEGER - 1, {
          namespace,
          index: size,
          id: null,
          problem: `A signed checkpoint covers ${end} records, but only ${size} are there: the newest were cut off.`,
        })
      }
      return { namespace, size, root: Buffer.from(state.tree.root()).toString('base64'), unsigned: size - state.signed }
    })
  }

  #compareRoot(namespace: string, state: NamespaceTree, due: ExpectedRoot, row: RecordRow): void {
    if (state.broken) return
    const name = due.stored === null ? 'A checkpoint that was kept elsewhere' : `Checkpoint ${due.stored.ordinal}`
    const fail = (index: number, problem: string) =>
      this.#findings.checkpoint(row.seq, { namespace, index, id: index === row.index ? row.id : null, problem })
    if (due.size !== state.tree.size) return fail(due.size - 1, `${name} is out of order.`)
    if (Buffer.compare(due.root, state.tree.root()) !== 0) {
      state.broken = true
      return fail(
        state.signed,
        `${name} was signed over other records: one of ${state.signed} to ${due.size - 1} was changed.`,
      )
    }
    state.signed = due.size
    if (due.stored !== null && due.stored.timeMs !== row.timeMs)
      fail(due.size - 1, `${name} does not bear the time of its newest record.`)
  }

  async #compareTile(namespace: string, state: NamespaceTree, tile: FullTile, seq: number): Promise<void> {
    this.#findings.tiles.checked += 1
    const first = tile.index * tileWidth ** (tile.level + 1)
    const fail = (index: number, id: string | null, problem: string) =>
      this.#findings.tile(seq, { namespace, index, id, problem })
    const stored = await this.#reader.tile(namespace, tile.level, tile.index)
    const name = `Tile ${tile.index} of level ${tile.level}`
    if (stored === null) return fail(first, null, `${name} is missing.`)
    if (Buffer.compare(stored.hashes, tile.hashes) !== 0) {
      const place = state.recent.findIndex(({ hash }, position) => {
        return (
          Buffer.compare(hash, stored.hashes.subarray(position * treeHashBytes, (position + 1) * treeHashBytes)) !== 0
        )
      })
      const row = tile.level === 0 ? state.recent[place]?.row : undefined
      return fail(
        row?.index ?? first,
        row?.id ?? null,
        `${name} holds other hashes than the records give: a record or the tile was changed.`,
      )
    }
    if (Buffer.compare(stored.root, tile.root) !== 0) fail(first, null, `${name} has a root that is not its own.`)
  }

  #tree(namespace: string): NamespaceTree {
    const known = this.#trees.get(namespace)
    if (known !== undefined) return known
    const made: NamespaceTree = {
      tree: new LogTree(),
      nextIndex: 0,
      recent: [],
      expected: [],
      signed: 0,
      broken: false,
    }
    this.#trees.set(namespace, made)
    return made
  }
}
