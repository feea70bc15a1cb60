import { checkpointOrigin, LogTree, signCheckpoint, type FullTile, type NoteSigner } from '../../../audit/index.ts'
import type { Session } from '../session.ts'
import type { PostgresLogIdentity } from './log-identity.ts'
import type { BegunTree, WaitingRecord } from './stretch.ts'
import { readTreeEdge } from './tree-edge.ts'

const leavesPerCheckpoint = 256

/** What a pass of the sequencer adds to the trees. */
export interface TreeGrowth {
  readonly tiles: readonly (FullTile & { readonly tree: number })[]
  readonly sizes: readonly { readonly tree: number; readonly size: number }[]
  readonly checkpoints: readonly NewCheckpoint[]
}

interface NewCheckpoint {
  readonly ordinal: number
  readonly tree: number
  readonly size: number
  readonly timeMs: number
  readonly note: string
}

interface GrowingTree {
  readonly tree: number
  readonly namespace: string
  readonly firstIndex: number
  readonly hashes: LogTree
  readonly signer: NoteSigner
  /** Leaves under the newest checkpoint. */
  checkpointed: number
  /** Time of the newest leaf. */
  lastTimeMs: number
}

/** The open tree of every log that grew, at its growing edge. */
export class GrowingTrees {
  readonly #session: Session
  readonly #identity: PostgresLogIdentity
  readonly #trees = new Map<number, GrowingTree>()
  #next: PostgresLogIdentity['key'] | null = null

  constructor(session: Session, identity: PostgresLogIdentity) {
    this.#session = session
    this.#identity = identity
  }

  /** From here on a second key signs too: the one that takes the place of the first. */
  signAlsoWith(next: PostgresLogIdentity['key']): void {
    this.#next = next
  }

  /** Whether a tree has leaves that no checkpoint covers. */
  get hasUnsigned(): boolean {
    return [...this.#trees.values()].some(isUnsigned)
  }

  /** Takes up the open trees of these logs where they were left. @throws DatabaseError; RangeError for a damaged tree */
  async load(logs: Iterable<number>): Promise<void> {
    for (const log of new Set(logs)) {
      if (!this.#trees.has(log)) this.#trees.set(log, await this.#read(log))
    }
  }

  /** Takes up the trees that a former sequencer left with leaves under no checkpoint. @throws DatabaseError; RangeError */
  async loadUnsigned(): Promise<void> {
    const { rows } = await this.#session.query(
      `SELECT log FROM trees WHERE size > (SELECT COALESCE(max(size), 0) FROM checkpoints WHERE checkpoints.tree = trees.tree)`,
    )
    await this.load(rows.map((row) => Number(row['log'])))
  }

  /** Adds leaves, in the order of their logs. @throws RangeError where a log has a hole, or a position twice */
  grow(records: readonly WaitingRecord[], checkpoints: number, sign: 'full' | 'all'): TreeGrowth {
    const grown = new Set<GrowingTree>()
    const tiles: (FullTile & { tree: number })[] = []
    const signed: NewCheckpoint[] = []
    const signTree = (tree: GrowingTree) => signed.push(this.#sign(tree, checkpoints + signed.length + 1))
    for (const { log, index, leaf, timeMs, begins } of records) {
      let tree = required(this.#trees.get(log))
      if (begins !== null) {
        // A tree is closed by the record that begins the next one: its last checkpoint covers all that it will ever have.
        if (isUnsigned(tree)) signTree(tree)
        tree = this.#begin(tree, log, index, begins)
      }
      if (index !== tree.firstIndex + tree.hashes.size) {
        throw new RangeError(`log ${log} goes on at ${index} instead of ${tree.firstIndex + tree.hashes.size}`)
      }
      for (const tile of tree.hashes.append(leaf)) tiles.push({ tree: tree.tree, ...tile })
      tree.lastTimeMs = timeMs
      grown.add(tree)
      if (tree.hashes.size - tree.checkpointed >= leavesPerCheckpoint) signTree(tree)
    }
    if (sign === 'all') for (const tree of this.#trees.values()) if (isUnsigned(tree)) signTree(tree)
    return {
      tiles,
      sizes: [...grown].map(({ tree, hashes }) => ({ tree, size: hashes.size })),
      checkpoints: signed,
    }
  }

  #begin({ namespace }: GrowingTree, log: number, firstIndex: number, begins: BegunTree): GrowingTree {
    const { tree, period } = begins
    const signer = this.#signerOf(namespace, period)
    const hashes = new LogTree()
    const begun = { tree, namespace, firstIndex, hashes, signer, checkpointed: 0, lastTimeMs: 0 }
    this.#trees.set(log, begun)
    return begun
  }

  #sign(tree: GrowingTree, ordinal: number): NewCheckpoint {
    const { size } = tree.hashes
    const { name } = tree.signer
    const signers = this.#next === null ? [tree.signer] : [tree.signer, { name, ...this.#next }]
    const note = signCheckpoint({ origin: name, size, root: tree.hashes.root() }, ...signers)
    tree.checkpointed = size
    return { ordinal, tree: tree.tree, size, timeMs: tree.lastTimeMs, note }
  }

  /** The newest tree that has leaves; of a log without any, its first. */
  async #read(log: number): Promise<GrowingTree> {
    const { rows } = await this.#session.query(
      `SELECT tree, period, first_idx, size, namespace,
         (SELECT max(size) FROM checkpoints WHERE checkpoints.tree = trees.tree) AS checkpointed,
         (SELECT time_ms FROM records WHERE records.log = trees.log AND idx = first_idx + size - 1) AS last_time_ms
       FROM trees JOIN logs USING (log) WHERE log = $1 ORDER BY size > 0 DESC, CASE WHEN size > 0 THEN -first_idx ELSE first_idx END LIMIT 1`,
      [log],
    )
    const row = required(rows[0])
    const [tree, firstIndex, size] = [Number(row['tree']), Number(row['first_idx']), Number(row['size'])]
    return {
      tree,
      namespace: String(row['namespace']),
      firstIndex,
      hashes: await readTreeEdge(this.#session, { log, tree, firstIndex, size }),
      signer: this.#signerOf(String(row['namespace']), String(row['period'])),
      checkpointed: Number(row['checkpointed'] ?? 0),
      lastTimeMs: Number(row['last_time_ms'] ?? 0),
    }
  }

  #signerOf(namespace: string, period: string): NoteSigner {
    return { name: checkpointOrigin(this.#identity.logId, namespace, period), ...this.#identity.key }
  }
}

function isUnsigned({ hashes, checkpointed }: GrowingTree): boolean {
  return hashes.size > checkpointed
}

function required<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new RangeError('a log without a tree')
  return value
}
