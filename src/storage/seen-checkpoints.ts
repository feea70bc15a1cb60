import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import {
  keySuccession,
  readCheckpoint,
  rootAt,
  signersOf,
  treeOfOrigin,
  type Checkpoint,
  type KeySuccession,
  type TreeName,
  type TreeReader,
} from '../audit/index.ts'
import { McpworksError } from '../kernel/index.ts'
import { dataDirectoryPaths, syncDirectory, writeNewFile } from './data-directory.ts'

/** How often the newest checkpoints are written down, in milliseconds. */
const periodMs = 10_000
const rowsAtOnce = 1000

/** A tree that is not as this data directory has seen it. */
export interface SeenDifference {
  readonly tree: TreeName
  /** A sentence. */
  readonly problem: string
  /** The newest checkpoint of the tree as it is; empty where there is none. */
  readonly ours: string
  /** The checkpoint that was seen. */
  readonly theirs: string
}

/**
 * Remembers, in a file beside the log or on a machine of its own, the newest signed checkpoint of each tree, so that a log
 * that was put back to an older state, or rewritten, is found at the next start from this data directory. Whoever puts the
 * directory back as a whole puts this back too: that shows only against what is kept elsewhere.
 */
export class SeenCheckpoints {
  readonly #path: string
  /** Notes by origin. */
  readonly #notes: Map<string, string>
  #ordinal: number | null = null
  #written = ''
  #timer: NodeJS.Timeout | null = null
  #looking: Promise<void> = Promise.resolve()

  private constructor(path: string, notes: readonly string[]) {
    this.#path = path
    this.#notes = new Map(notes.map((note) => [originOf(note), note]))
    this.#written = this.#text()
  }

  /** What was seen from a data directory. @throws McpworksError `storage_unavailable` where the file was damaged */
  static read(path: string): SeenCheckpoints {
    const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : ['']
    const last = lines.pop()
    const notes = lines.map(readLine)
    const good = notes.filter((note) => note !== null)
    if (last === '' && good.length === notes.length) return new SeenCheckpoints(path, good)
    throw new McpworksError('storage_unavailable', {
      message: 'audit.seen in the data directory is damaged. Run "mcpworks audit verify", and take the file away.',
    })
  }

  /** Checkpoints that are not to be remembered beyond a look. */
  static of(notes: readonly string[]): Pick<SeenCheckpoints, 'size' | 'differences'> {
    return new SeenCheckpoints('', notes)
  }

  /** Trees of which something was seen. */
  get size(): number {
    return this.#notes.size
  }

  /**
   * Trees that do not continue what was seen. To be asked before anything is added to the log; reads what every version
   * has had since trees have periods.
   */
  async differences(reader: Pick<TreeReader, 'newestCheckpoint' | 'hashes'>): Promise<SeenDifference[]> {
    const found: SeenDifference[] = []
    for (const note of this.#notes.values()) {
      const seen = readCheckpoint(note)
      const tree = seen === null ? null : treeOfOrigin(seen.origin.split('/')[1] ?? '', seen.origin)
      if (seen === null || tree === null) continue
      const newest = await reader.newestCheckpoint(tree.namespace, tree.period)
      const problem = await difference(reader, tree, seen, newest === null ? null : readCheckpoint(newest.note))
      if (problem !== null) found.push({ tree, problem, ours: newest?.note ?? '', theirs: note })
    }
    return found
  }

  /** Forgets what was seen: the log goes on from another state, and somebody said so. */
  forget(): void {
    this.#notes.clear()
  }

  /** Writes down what is signed from now on, until `close`. What cannot be read or written is tried again. */
  follow(reader: TreeReader): void {
    this.#timer = setInterval(() => void this.look(reader).catch(() => {}), periodMs)
    this.#timer.unref()
  }

  /** Writes down what was signed since the last look. @throws McpworksError `storage_unavailable`; the file system's errors */
  look(reader: TreeReader): Promise<void> {
    const next = this.#looking.then(() => this.#look(reader))
    this.#looking = next.catch(() => {})
    return next
  }

  /** Looks once more. What cannot be had then is found at the next start all the same: an older memory is a good one. */
  async close(reader: TreeReader): Promise<void> {
    if (this.#timer === null) return
    clearInterval(this.#timer)
    this.#timer = null
    await this.look(reader).catch(() => {})
  }

  async #look(reader: TreeReader): Promise<void> {
    const keys = await this.#keys(reader)
    if (keys === null) return
    if (this.#ordinal === null) await this.#readNewest(reader, keys)
    for (;;) {
      const rows = await reader.checkpoints((this.#ordinal ?? 0) + 1, rowsAtOnce)
      const taken = new Set<string>()
      // Nearly always the newest of each tree is the only one whose signature has to be looked at.
      for (const { ordinal, note } of rows.toReversed()) {
        if (taken.has(originOf(note)) || !this.#take(note, keys)) continue
        taken.add(originOf(note))
        this.#ordinal = Math.max(this.#ordinal ?? 0, ordinal)
      }
      if (rows.length < rowsAtOnce || taken.size === 0) break
    }
    this.#write()
  }

  async #readNewest(reader: TreeReader, keys: KeySuccession): Promise<void> {
    let newest = 0
    for (const { namespace, period } of await reader.trees()) {
      const row = namespace === null ? null : await reader.newestCheckpoint(namespace, period)
      if (row !== null && this.#take(row.note, keys)) newest = Math.max(newest, row.ordinal)
    }
    this.#ordinal = newest
  }

  /**
   * Only what a key of the log signed, and what covers no less than was seen: whoever can change the database must not have
   * something else remembered, and then put the log back.
   */
  #take(note: string, keys: KeySuccession): boolean {
    const origin = originOf(note)
    const size = readCheckpoint(note)?.size ?? -1
    const seen = this.#notes.get(origin)
    if (size < (seen === undefined ? 0 : (readCheckpoint(seen)?.size ?? 0))) return false
    if (signersOf(keys, origin, note).length === 0) return false
    this.#notes.set(origin, note)
    return true
  }

  /**
   * By the keys in the data directory: those in the database could be anybody's. `null` where they do not fit, and then
   * nothing new is remembered: what was seen before stays, and a start is held against that.
   */
  async #keys(reader: TreeReader): Promise<KeySuccession | null> {
    const { publicKey } = dataDirectoryPaths(dirname(this.#path))
    if (!existsSync(publicKey)) return null
    const verdict = keySuccession(readFileSync(publicKey, 'utf8').trim(), await reader.keyChanges())
    return verdict.ok ? verdict.succession : null
  }

  #write(): void {
    const text = this.#text()
    if (text === this.#written) return
    // Whole or not at all, after a power cut too.
    const partial = `${this.#path}.new`
    rmSync(partial, { force: true })
    writeNewFile(partial, text)
    renameSync(partial, this.#path)
    syncDirectory(dirname(this.#path))
    this.#written = text
  }

  #text(): string {
    return [...this.#notes.values()].map((note) => `${JSON.stringify(note)}\n`).join('')
  }
}

/** What does not fit, as a sentence; `null` where the tree goes on from what was seen. */
async function difference(
  reader: Pick<TreeReader, 'hashes'>,
  tree: TreeName,
  seen: Checkpoint,
  newest: Checkpoint | null,
): Promise<string | null> {
  if (newest === null || newest.origin !== seen.origin)
    return `${seen.size} records of ${seen.origin} were signed before, and there is no such log any more.`
  if (newest.size < seen.size)
    return `${seen.size} records of ${seen.origin} were signed before, and ${newest.size} are: the log was put back.`
  const root = await rootAt(reader, tree, seen.size)
  if (Buffer.compare(root, seen.root) === 0) return null
  return `The first ${seen.size} records of ${seen.origin} are not those that were signed before: the log was put back and went on otherwise, or was rewritten.`
}

function originOf(note: string): string {
  return note.slice(0, note.indexOf('\n'))
}

function readLine(line: string): string | null {
  try {
    const note: unknown = JSON.parse(line)
    return typeof note === 'string' && readCheckpoint(note) !== null ? note : null
  } catch {
    // Not JSON: not a line of such a file.
    return null
  }
}
