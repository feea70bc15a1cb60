/**
 * A desired-state directory as it travels: the paths and contents of its regular files, nothing interpreted.
 * The command line reads the directory into this; the server parses it and trusts none of it.
 */
export interface DesiredState {
  readonly files: readonly DesiredFile[]
}

/** One file. Exactly one of `text` (UTF-8) and `base64` (RFC 4648 section 4, padded) is there. */
export interface DesiredFile {
  /** Relative to the directory, `/` between segments: `services/leads/top.py`. */
  readonly path: string
  readonly text?: string
  readonly base64?: string
}

/** Something wrong with a file of a desired-state directory. Lines and columns count from 1. */
export interface SourceProblem {
  readonly file: string
  readonly line: number | null
  readonly column: number | null
  readonly message: string
  /** What to write instead, where that can be told. */
  readonly hint: string | null
}

/** Upper bounds of one desired-state directory. The same for the reader and for the server. */
export const desiredStateBounds = {
  files: 500,
  totalBytes: 8 * 1024 * 1024,
  /** Any one file, such as a data file. */
  fileBytes: 4 * 1024 * 1024,
  /** A `.py` or `.ts` file. */
  sourceBytes: 256 * 1024,
  yamlBytes: 64 * 1024,
  policyBytes: 256 * 1024,
  pathLength: 200,
  pathDepth: 8,
} as const
