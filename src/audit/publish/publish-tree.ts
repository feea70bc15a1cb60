import type { CheckpointRow, TreeReader } from '../audit-reader.ts'
import { tilePath } from '../bundle/tile-path.ts'
import { readCheckpoint } from '../checkpoint.ts'
import { tileWidth } from '../log-tree.ts'
import { rootAt } from '../prove-consistency.ts'
import { readTile, type TileName, type TreeName } from '../read-tile.ts'
import { noteParts } from '../signed-note.ts'
import type { PublishTarget } from './publish-target.ts'

const maxNoteBytes = 64 * 1024

/** What came of bringing a place up to date with a tree. */
export type PublishOutcome =
  /** It has the checkpoint and all tiles under it. `tiles` were written. */
  | { readonly status: 'published'; readonly tiles: number }
  /** Somebody else wrote the checkpoint in the meantime: to be looked at anew. */
  | { readonly status: 'raced' }
  /** What lies there is not of this log as it is here. Nothing was overwritten. */
  | { readonly status: 'conflict'; readonly path: string; readonly problem: string; readonly theirs: string | null }

/** What is to be published of a tree: its newest checkpoint, with the cosignatures that it has. */
export interface SignedTree extends TreeName {
  readonly newest: Pick<CheckpointRow, 'size' | 'note' | 'timeMs'>
}

/**
 * Writes what a place lacks of a tree, as c2sp.org/tlog-tiles lays it out below `prefix`: first the tiles, full and
 * partial, then the checkpoint that covers them, so that a reader never finds a checkpoint without its tiles. The
 * checkpoint that lies there says where to go on, and must be one of this tree. A file that is there is never replaced
 * by another one but the checkpoint, and that only while it is the one that was judged.
 *
 * Does not look again at tiles under the checkpoint that lies there, and does not remove partial tiles.
 * Rejects with what `target` rejects with; then it is to be tried again.
 */
export async function publishTree(
  reader: Pick<TreeReader, 'hashes'>,
  tree: SignedTree,
  target: PublishTarget,
  prefix: string,
): Promise<PublishOutcome> {
  const path = `${prefix}/checkpoint`
  const there = await target.read(path, maxNoteBytes)
  const theirs = there === null ? null : Buffer.from(there.bytes).toString('utf8')
  if (theirs === tree.newest.note) return { status: 'published', tiles: 0 }
  const judged = theirs === null ? { ok: true as const, size: 0 } : await judgeCheckpoint(reader, tree, theirs)
  if (!judged.ok) return { status: 'conflict', path, problem: judged.problem, theirs }
  let tiles = 0
  for (const tile of newTiles(judged.size, tree.newest.size)) {
    const bytes = await readTile(reader, tree, tile, tree.newest)
    if (bytes === null) throw new RangeError('the stored tree lacks a tile that a checkpoint covers')
    const at = `${prefix}/${tilePath(tile.level, tile.index, bytes)}`
    if ((await target.create(at, bytes, 'application/octet-stream')) === 'created') {
      tiles += 1
      continue
    }
    const other = await target.read(at, bytes.length)
    if (other === null || Buffer.compare(other.bytes, bytes) !== 0)
      return { status: 'conflict', path: at, problem: 'Another tile lies there than this tree has.', theirs: null }
  }
  const note = Buffer.from(tree.newest.note)
  const replaced = await target.replace(path, note, 'text/plain; charset=utf-8', there?.version ?? null)
  return replaced === 'changed' ? { status: 'raced' } : { status: 'published', tiles }
}

/** Whether a checkpoint that lies elsewhere is one of this tree, by its size and root and not by who signed it. */
export async function judgeCheckpoint(
  reader: Pick<TreeReader, 'hashes'>,
  tree: SignedTree,
  theirs: string,
): Promise<{ readonly ok: true; readonly size: number } | { readonly ok: false; readonly problem: string }> {
  const own = checkpointOf(tree.newest.note)
  if (own === null) throw new RangeError('a stored checkpoint that is none')
  const found = checkpointOf(theirs)
  const no = (problem: string) => ({ ok: false as const, problem })
  if (found === null) return no('What lies there is no checkpoint.')
  if (found.origin !== own.origin) return no('The checkpoint that lies there is of another log.')
  if (found.size > tree.newest.size)
    return no(
      `The checkpoint that lies there covers ${found.size} records, and ${tree.newest.size} are signed here: this log was put back, or another one goes by its name.`,
    )
  const root = found.size === tree.newest.size ? own.root : await rootAt(reader, tree, found.size)
  if (Buffer.compare(root, found.root) !== 0)
    return no(
      `The checkpoint that lies there was signed over other records than the first ${found.size} here: the log was rewritten, or that place was.`,
    )
  return { ok: true, size: found.size }
}

function checkpointOf(note: string) {
  const parts = noteParts(note)
  return parts === null ? null : readCheckpoint(parts.text)
}

/** Tiles of the tree of `to` leaves that the tree of `from` leaves does not have, lowest level first. */
function* newTiles(from: number, to: number): Iterable<TileName> {
  for (let level = 0; tileWidth ** level <= to; level++) {
    const [before, after] = [from, to].map((size) => Math.floor(size / tileWidth ** level)) as [number, number]
    if (before === after) continue
    const full = Math.floor(after / tileWidth)
    for (let index = Math.floor(before / tileWidth); index < full; index++) yield { level, index, width: tileWidth }
    if (after % tileWidth > 0) yield { level, index: full, width: after % tileWidth }
  }
}
