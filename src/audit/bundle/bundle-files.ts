/** Names of the files of a bundle, besides the tiles. */
export const bundleFiles = {
  /** The newest signed checkpoint (c2sp.org/tlog-checkpoint). It covers everything that is in the bundle. */
  checkpoint: 'checkpoint',
  /** Every signed checkpoint up to it, a JSON string on each line, oldest first. */
  checkpoints: 'checkpoints.jsonl',
  /** Every record's text, one a line, in the order of the log. Line n is leaf n of the tree. */
  records: 'records.jsonl',
  /** The verifier key as the log has it: for convenience. Who checks a bundle brings along the key that they were given. */
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
