/** Tables of the index for searching. Derived from the log; a term is a number that stands for a text. */
export interface SearchTables {
  /** What the index is: `version`, `seed`, `log_id`, `cursor_seq`, `cursor_id`. */
  readonly search_meta: { name: string; value: string }
  /** Which positions of a block have a term, as `PositionSet` writes them. */
  readonly search_postings: { log: number; term: number; block: number; docs: Uint8Array }
  /**
   * For 64 positions: no record up to their end is younger than `high_ms`, and none from their beginning on is older
   * than `low_ms`. Both only ever grow with the position, whatever the clock did.
   */
  readonly search_spans: { log: number; span: number; low_ms: number; high_ms: number }
  /** Which terms a block has, 8 bytes each, so that it can be forgotten without a look at all terms. */
  readonly search_blocks: { log: number; block: number; part: number; terms: Uint8Array }
}

/** Changes with what the tables hold or mean: an index of another version is built anew. */
export const searchVersion = '1'

/** What makes the tables, on SQLite. */
export const searchSchema: readonly string[] = [
  `
  CREATE TABLE search_meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE search_postings (
    log INTEGER NOT NULL, term INTEGER NOT NULL, block INTEGER NOT NULL, docs BLOB NOT NULL,
    PRIMARY KEY (log, term, block)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE search_spans (
    log INTEGER NOT NULL, span INTEGER NOT NULL, low_ms INTEGER NOT NULL, high_ms INTEGER NOT NULL,
    PRIMARY KEY (log, span)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX search_spans_by_low ON search_spans (log, low_ms, span);
  CREATE INDEX search_spans_by_high ON search_spans (log, high_ms, span);
  CREATE TABLE search_blocks (
    log INTEGER NOT NULL, block INTEGER NOT NULL, part INTEGER NOT NULL, terms BLOB NOT NULL,
    PRIMARY KEY (log, block, part)
  ) STRICT, WITHOUT ROWID;
  `,
]
