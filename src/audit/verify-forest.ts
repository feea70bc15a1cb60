import type { AuditReader, CheckpointRow, RecordRow, TreeRow } from './audit-reader.ts'
import { checkpointOrigin, readCheckpoint, treeOfOrigin } from './checkpoint.ts'
import { readKeyChangeEvent } from './key-change.ts'
import { signersOf, type KeySuccession } from './key-succession.ts'
import { isLogPeriod, logPeriod } from './log-period.ts'
import { readPeriodEvent } from './period-event.ts'
import type { StoredEnvelope } from './stored-envelope.ts'
import { TreeCheck } from './tree-check.ts'
import type { Findings, VerifyReport } from './verify-report.ts'

/** What is wrong with the log as a whole is said after what is wrong with one record. */
const atEnd = Number.MAX_SAFE_INTEGER

interface NamespaceTrees {
  /** Ascending by first index. */
  readonly trees: TreeCheck[]
  /** Place in `trees` of the one that records go to. */
  current: number
  /** Position that the next record must have. */
  nextIndex: number
  /** Place in the succession of the key that is in force. */
  key: number
}

/**
 * Holds the trees of every namespace against tiles and signed checkpoints, and against one another: each tree but a
 * namespace's first begins with a record that names the one before it as it was closed.
 */
export class ForestCheck {
  readonly #reader: AuditReader
  readonly #findings: Findings
  readonly #succession: KeySuccession
  readonly #nextSeq: number
  readonly #namespaces = new Map<string, NamespaceTrees>()

  /** `nextSeq`: records from there on wait for their place, for their tiles, and for the last checkpoint of what they close. */
  constructor(parts: { reader: AuditReader; findings: Findings; succession: KeySuccession; nextSeq: number }) {
    this.#reader = parts.reader
    this.#findings = parts.findings
    this.#succession = parts.succession
    this.#nextSeq = parts.nextSeq
  }

  /** Takes the trees that there are said to be, ascending by ordinal. */
  plant(rows: readonly TreeRow[]): void {
    for (const row of rows) {
      const { namespace, period, firstIndex } = row
      const where = { namespace, index: firstIndex, id: null }
      if (namespace === null) {
        this.#findings.tree(atEnd, { ...where, problem: `Tree ${row.ordinal} belongs to no namespace.` })
        continue
      }
      const known = this.#namespaces.get(namespace)
      const before = known?.trees.at(-1)?.row
      const follows = before === undefined ? firstIndex === 0 : firstIndex > before.firstIndex && period > before.period
      if (!follows || !isLogPeriod(period)) {
        const problem = `Tree ${row.ordinal} (period ${period}) does not follow the one before it: inserted, deleted or changed.`
        this.#findings.tree(atEnd, { ...where, problem })
      }
      this.#add(namespace, row)
    }
  }

  /** Checks that a key of the log signed a stored checkpoint and keeps it until its size is reached. */
  expect(row: CheckpointRow): void {
    this.#findings.checkpoints.checked += 1
    const { namespace, period } = row
    const tree = namespace === null ? undefined : this.#treeOf(namespace, period)
    const index = (tree?.row.firstIndex ?? 0) + row.size - 1
    const fail = (problem: string) => this.#findings.checkpoint(atEnd, { namespace, index, id: null, problem })
    if (namespace === null || tree === undefined) return fail(`Checkpoint ${row.ordinal} belongs to no tree.`)
    const signedBy = signersOf(this.#succession, tree.origin, row.note)
    const checkpoint = readCheckpoint(row.note)
    if (checkpoint === null || signedBy.length === 0)
      return fail(`Checkpoint ${row.ordinal} bears no good signature by the log's key.`)
    if (checkpoint.origin !== tree.origin) return fail(`Checkpoint ${row.ordinal} is for another log.`)
    if (checkpoint.size !== row.size)
      return fail(`Checkpoint ${row.ordinal} is stored for ${row.size} records and signed for ${checkpoint.size}.`)
    const { ordinal, timeMs } = row
    tree.expect({ size: row.size, root: checkpoint.root, signedBy, stored: { ordinal, timeMs } })
  }

  /** Adds a checkpoint that was kept elsewhere. False where it is not a good checkpoint of this log. */
  expectForeign(note: string): boolean {
    const origin = note.slice(0, note.indexOf('\n'))
    const place = treeOfOrigin(this.#succession.logId, origin)
    const signedBy = signersOf(this.#succession, origin, note)
    const checkpoint = readCheckpoint(note)
    if (place === null || checkpoint === null || signedBy.length === 0) return false
    const tree = this.#treeOf(place.namespace, place.period)
    if (tree === undefined) {
      const where = { namespace: place.namespace, index: null, id: null }
      const problem = `A checkpoint of ${checkpoint.size} records that was kept elsewhere is of a tree that is not there (period ${place.period}): the log was put back.`
      this.#findings.checkpoint(atEnd, { ...where, problem })
    } else tree.expect({ size: checkpoint.size, root: checkpoint.root, signedBy, stored: null })
    return true
  }

  /**
   * Adds a record's leaf and compares what is due. `envelope` is `null` where its text is not to be believed.
   * Gives the position that the record should have had where it has another, and what is still being compared.
   */
  take(
    namespace: string,
    row: RecordRow,
    leaf: Uint8Array,
    envelope: StoredEnvelope | null,
  ): { readonly expected: number | null; readonly comparing: Promise<void> | null } {
    const state = this.#namespaces.get(namespace) ?? this.#missingTree(namespace, row)
    const expected = state.nextIndex
    state.nextIndex = row.index + 1
    const tree = this.#treeFor(state, row, envelope)
    if (row.index !== expected) tree.doubt()
    if (envelope?.kind === 'period' && row.index !== tree.row.firstIndex)
      this.#fail(
        row,
        'It begins a tree, but lies within one: the row of its tree was deleted, or the record was moved.',
      )
    const isNew = envelope?.kind === 'key-change' && this.#changeKey(state, row, envelope)
    const comparing = tree.take(row, leaf, { key: state.key, isNew })
    return { expected: row.index === expected ? null : expected, comparing }
  }

  /** After the last record. */
  finish(): VerifyReport['namespaces'] {
    const names = [...this.#namespaces.keys()].toSorted()
    return names.map((namespace) => {
      const { trees, current, key } = this.#namespaces.get(namespace) ?? { trees: [], current: 0, key: 0 }
      if (key < this.#succession.changes.length) {
        const problem = `Key change ${key + 1} is in no record of it: deleted, or a key was put in.`
        this.#findings.tree(atEnd, { namespace, index: null, id: null, problem })
      }
      trees[current]?.finish(null)
      for (const { row } of trees.slice(current + 1)) {
        const problem = `Tree ${row.ordinal} (period ${row.period}) has no record: inserted, or its records were cut off.`
        this.#findings.tree(atEnd, { namespace, index: row.firstIndex, id: null, problem })
      }
      const grown = trees.slice(0, current + 1)
      return {
        namespace,
        size: grown.reduce((sum, { size }) => sum + size, 0),
        unsigned: grown.reduce((sum, { size, signed }) => sum + size - signed, 0),
        trees: grown.map((tree) => {
          const { period, firstIndex } = tree.row
          return { period, firstIndex, size: tree.size, root: Buffer.from(tree.root()).toString('base64') }
        }),
      }
    })
  }

  /** The tree that a record lies in. Goes on to the next one where that begins. */
  #treeFor(state: NamespaceTrees, row: RecordRow, envelope: StoredEnvelope | null): TreeCheck {
    for (;;) {
      const tree = required(state.trees[state.current])
      const next = state.trees[state.current + 1]
      if (next === undefined || row.index < next.row.firstIndex) return tree
      tree.finish(row)
      state.current += 1
      if (envelope !== null) this.#compareLink(tree, next, row, envelope)
    }
  }

  /** The record that begins a tree names the one before it. */
  #compareLink(closed: TreeCheck, begun: TreeCheck, row: RecordRow, envelope: StoredEnvelope): void {
    const { period } = begun.row
    const event = envelope.kind === 'period' ? readPeriodEvent(envelope.event) : null
    if (row.index !== begun.row.firstIndex) return
    if (event === null)
      return this.#fail(row, 'A tree begins with it, but it closes none: the row of the tree was changed.')
    if (event.period !== period || logPeriod(row.timeMs) !== period)
      this.#fail(row, `It begins a tree of ${event.period}, and its row says ${period}: the row was changed.`)
    if (closed.isBroken) return
    const { origin, size, root } = event.previous
    if (origin === closed.origin && size === closed.size && Buffer.compare(root, closed.root()) === 0) return
    this.#fail(row, 'It closes another tree than the one that lies before it: that one was changed.')
  }

  /** Takes the key that a record names into force. Gives whether the key before it was in force in this namespace. */
  #changeKey(state: NamespaceTrees, row: RecordRow, envelope: StoredEnvelope): boolean {
    const event = readKeyChangeEvent(envelope.event)
    if (event === null || event.statement !== this.#succession.changes[event.number - 1]) {
      this.#fail(row, "It names a key that the log's key did not vouch for.")
      return false
    }
    if (event.number !== state.key + 1)
      this.#fail(row, `It is key change ${event.number}, and ${state.key + 1} is next.`)
    state.key = event.number
    return !event.inherited
  }

  #missingTree(namespace: string, row: RecordRow): NamespaceTrees {
    const problem = 'The rows of its trees are missing: deleted.'
    this.#findings.tree(row.seq, { namespace, index: row.index, id: row.id, problem })
    return this.#add(namespace, { ordinal: 0, namespace, period: '', firstIndex: 0 })
  }

  #add(namespace: string, row: TreeRow): NamespaceTrees {
    const origin = checkpointOrigin(this.#succession.logId, namespace, row.period)
    const [reader, findings, nextSeq] = [this.#reader, this.#findings, this.#nextSeq]
    const tree = new TreeCheck({ reader, findings, namespace, row, origin, nextSeq })
    const known = this.#namespaces.get(namespace) ?? { trees: [], current: 0, nextIndex: 0, key: 0 }
    known.trees.push(tree)
    this.#namespaces.set(namespace, known)
    return known
  }

  #treeOf(namespace: string, period: string): TreeCheck | undefined {
    return this.#namespaces.get(namespace)?.trees.find(({ row }) => row.period === period)
  }

  #fail({ seq, namespace, index, id }: RecordRow, problem: string): void {
    this.#findings.record(seq, { namespace, index, id, problem })
  }
}

function required(tree: TreeCheck | undefined): TreeCheck {
  if (tree === undefined) throw new RangeError('a namespace without a tree')
  return tree
}
