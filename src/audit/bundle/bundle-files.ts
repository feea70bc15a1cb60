/**
 * The file that lists a bundle's trees, a JSON object on each line, oldest first. Each tree is a directory of its own,
 * named by its period. It is written last: a bundle that was cut off while it was written has none.
 */
export const treesFile = 'trees.jsonl'

/** The file of the statements by which the log's key was changed, a JSON string on each line, oldest first. */
export const keyChangesFile = 'key-changes.jsonl'

/** Names of the files of one tree, besides the tiles. */
export const treeFiles = {
  /** The newest signed checkpoint (c2sp.org/tlog-checkpoint). It covers every record that is there. */
  checkpoint: 'checkpoint',
  /** Every signed checkpoint up to it, a JSON string on each line, oldest first. */
  checkpoints: 'checkpoints.jsonl',
  /** Every record's text, one a line, in the order of the log. Line n is leaf n of the tree. */
  records: 'records.jsonl',
  /** The verifier keys as the log has them, by the tree's origin: for convenience. Who checks a bundle brings along the key that they were given. */
  key: 'key.pub',
} as const

/** Where a bundle is written. */
export interface BundleTarget {
  write(path: string, content: string | Uint8Array): Promise<void>
  /** Adds lines to a file. */
  append(path: string, lines: readonly string[]): Promise<void>
}

/** Where a bundle is read. Nothing in it is believed. */
export interface BundleSource {
  /** The bytes of a file of at most `maxBytes`; `null` where there is none, or it is larger. */
  read(path: string, maxBytes: number): Promise<Uint8Array | null>
  /** The lines of a file, without their ends, none longer than `maxLength`; none where there is no such file. */
  lines(path: string, maxLength: number): AsyncIterable<string>
}
