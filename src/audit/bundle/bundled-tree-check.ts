import type { Checkpoint } from '../checkpoint.ts'
import type { KeyInForce } from '../tree-check.ts'
import { LogTree, tileWidth, type FullTile } from '../log-tree.ts'
import { leafHash, treeHashBytes } from '../rfc6962.ts'
import type { Findings } from '../verify-report.ts'
import type { BundleSource } from './bundle-files.ts'
import { bundledPath } from './bundled-tree.ts'
import { tilePath } from './tile-path.ts'

/** What is wrong with a bundle as a whole is said after what is wrong with one record. */
const atEnd = Number.MAX_SAFE_INTEGER

/** Which tree of a bundle is checked. */
export interface BundledTreePlace {
  readonly namespace: string
  readonly period: string
  /** Position of its first leaf in the namespace. */
  readonly firstIndex: number
}

interface ExpectedCheckpoint {
  readonly root: Uint8Array
  /** Places in the succession of the keys that signed it. */
  readonly signedBy: readonly number[]
  readonly stated: string
}

/** Grows one tree of a bundle again and holds it against its tiles and signed checkpoints. */
export class BundledTreeCheck {
  readonly #source: BundleSource
  readonly #findings: Findings
  readonly #place: BundledTreePlace
  readonly #tree = new LogTree()
  readonly #roots = new Map<number, ExpectedCheckpoint[]>()
  #recent: Uint8Array[] = []
  /** The tile of leaf hashes that was read last. */
  #leaves: { readonly index: number; readonly hashes: Uint8Array } | null = null
  #largest = 0
  /** Once a root or tile differs all later ones do, and say nothing new. */
  #broken = false

  constructor(source: BundleSource, findings: Findings, place: BundledTreePlace) {
    this.#source = source
    this.#findings = findings
    this.#place = place
  }

  get size(): number {
    return this.#tree.size
  }

  root(): Uint8Array {
    return this.#tree.root()
  }

  /** Takes a checkpoint that keys of the log signed: those at these places of the succession. */
  expect({ size, root }: Checkpoint, signedBy: readonly number[], stated: string): void {
    const roots = this.#roots.get(size) ?? []
    roots.push({ root, signedBy, stated })
    this.#roots.set(size, roots)
  }

  /** Takes the newest checkpoint, which covers all that is there. */
  expectNewest(checkpoint: Checkpoint, signedBy: readonly number[]): void {
    this.#largest = checkpoint.size
    this.expect(checkpoint, signedBy, 'The newest checkpoint')
  }

  /** Takes the next record's text. Of one that was let go, which is empty, the tile has the hash. */
  async take(text: string, inForce: KeyInForce): Promise<void> {
    const leaf = text === '' ? await this.#bundledLeaf() : leafHash(text)
    this.#recent.push(leaf)
    for (const tile of this.#tree.append(leaf)) await this.#compareTile(tile)
    this.#compareRoots(inForce)
    if (this.#recent.length === tileWidth) this.#recent = []
  }

  /** The hash of the next leaf as its tile says; that of an empty text where there is no such tile, which is then found. */
  async #bundledLeaf(): Promise<Uint8Array> {
    const { size } = this.#tree
    const index = Math.floor(size / tileWidth)
    if (this.#leaves?.index !== index) {
      const width = Math.min(tileWidth, this.#largest - index * tileWidth)
      const path = tilePath(0, index, { length: width * treeHashBytes })
      const hashes = await this.#source.read(bundledPath(this.#place.period, path), width * treeHashBytes)
      this.#leaves = { index, hashes: hashes ?? new Uint8Array() }
    }
    const at = (size % tileWidth) * treeHashBytes
    const leaf = this.#leaves.hashes.subarray(at, at + treeHashBytes)
    return leaf.length === treeHashBytes ? leaf : leafHash('')
  }

  /** After the last record: the tree must be the one that the newest checkpoint covers, no more and no less. */
  async finish(): Promise<void> {
    const found = this.#tree.size
    if (found === 0) this.#compareRoots({ key: 0, isNew: false })
    for (const tile of this.#tree.partialTiles()) await this.#compareTile(tile)
    const extra = found - this.#largest
    if (extra > 0) this.#findings.head(atEnd - 1, `There are ${extra} records that no signature covers.`)
    if (extra < 0) this.#findings.head(atEnd - 1, `The newest ${-extra} records are missing: the bundle was cut off.`)
    for (const [beyond] of this.#roots) {
      const problem =
        beyond > this.#largest
          ? `A checkpoint of ${beyond} records was signed, and this bundle has ${this.#largest}: the log was put back, or the bundle is older.`
          : `The records of the checkpoint of ${beyond} are not all there.`
      this.#findings.checkpoint(atEnd, { namespace: this.#place.namespace, index: null, id: null, problem })
    }
  }

  async #compareTile({ level, index, hashes }: Omit<FullTile, 'root'>): Promise<void> {
    this.#findings.tiles.checked += 1
    const { firstIndex, namespace, period } = this.#place
    const there = await this.#source.read(bundledPath(period, tilePath(level, index, hashes)), hashes.length)
    if (there !== null && Buffer.compare(there, hashes) === 0) return
    if (level === 0 && !this.#broken && there?.length === hashes.length)
      this.#nameLeaf(firstIndex + index * tileWidth, there, hashes)
    const at = firstIndex + index * tileWidth ** (level + 1)
    const problem = there === null ? 'A tile is missing.' : 'A tile is not the one of these records.'
    this.#findings.tile(at, { namespace, index: at, id: null, problem })
  }

  /** The first record that is another than the tile says. */
  #nameLeaf(first: number, there: Uint8Array, hashes: Uint8Array): void {
    for (let at = 0; at < hashes.length; at += treeHashBytes) {
      const [one, other] = [there, hashes].map((bytes) => bytes.subarray(at, at + treeHashBytes))
      if (one === undefined || other === undefined || Buffer.compare(one, other) === 0) continue
      const index = first + at / treeHashBytes
      const problem = 'It is not the record that was hashed into the log: changed, inserted, deleted or moved.'
      this.#findings.record(index, { namespace: this.#place.namespace, index, id: null, problem })
      return
    }
  }

  #compareRoots({ key }: KeyInForce): void {
    const { size } = this.#tree
    for (const { root, signedBy, stated } of this.#roots.get(size) ?? []) {
      if (!signedBy.includes(key))
        this.#failCheckpoint(size, `${stated} is signed by a key that is not the log's there.`)
      if (Buffer.compare(this.#tree.root(), root) === 0) continue
      if (this.#broken) {
        this.#findings.checkpoints.failed += 1
        continue
      }
      this.#broken = true
      this.#failCheckpoint(
        size,
        `${stated} was signed over other records: one of those before it was changed, inserted, deleted or moved.`,
      )
    }
    this.#roots.delete(size)
  }

  #failCheckpoint(size: number, problem: string): void {
    const { firstIndex, namespace } = this.#place
    this.#findings.checkpoint(firstIndex + size, { namespace, index: firstIndex + size - 1, id: null, problem })
  }
}
