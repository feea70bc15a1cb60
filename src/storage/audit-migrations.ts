/** Scripts that bring the audit database from one version to the next. Never edited once released; only added to. */
export const auditMigrations: readonly string[] = [
  `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE logs (log INTEGER PRIMARY KEY, namespace TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE records (
    seq INTEGER PRIMARY KEY, log INTEGER NOT NULL REFERENCES logs (log), idx INTEGER NOT NULL, id TEXT NOT NULL,
    time_ms INTEGER NOT NULL, kind TEXT NOT NULL, call TEXT NOT NULL, principal TEXT,
    leaf_hash BLOB NOT NULL, json TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX records_by_index ON records (log, idx);
  CREATE INDEX records_by_call ON records (call);
  -- Decisions and outcomes are nearly all records: finding one of them needs no index, and having one would cost every append.
  CREATE INDEX records_by_rare_kind ON records (log, kind, idx) WHERE kind NOT IN ('decision', 'outcome');
  CREATE INDEX records_by_principal ON records (log, principal, idx) WHERE principal IS NOT NULL;
  CREATE TABLE bodies (seq INTEGER PRIMARY KEY, data_key INTEGER NOT NULL, sealed BLOB NOT NULL) STRICT;
  CREATE TABLE data_keys (
    data_key INTEGER PRIMARY KEY, log INTEGER NOT NULL REFERENCES logs (log), epoch INTEGER NOT NULL, wrapped BLOB NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX data_keys_by_log ON data_keys (log, epoch);
  CREATE TABLE tiles (
    log INTEGER NOT NULL REFERENCES logs (log), level INTEGER NOT NULL, idx INTEGER NOT NULL,
    root BLOB NOT NULL, hashes BLOB NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX tiles_by_place ON tiles (log, level, idx);
  CREATE TABLE checkpoints (
    ordinal INTEGER PRIMARY KEY, log INTEGER NOT NULL REFERENCES logs (log), size INTEGER NOT NULL,
    time_ms INTEGER NOT NULL, note TEXT NOT NULL
  ) STRICT;
  CREATE INDEX checkpoints_by_size ON checkpoints (log, size);
  -- Where the writer is: one row, changed in every commit.
  CREATE TABLE head (
    one INTEGER PRIMARY KEY CHECK (one = 1), epoch INTEGER NOT NULL, next_seq INTEGER NOT NULL, last_hash BLOB,
    checkpoints INTEGER NOT NULL, open_from INTEGER NOT NULL, mac BLOB NOT NULL
  ) STRICT;
  `,
  `
  -- AUTOINCREMENT: the number of an erased key is never given to another one.
  CREATE TABLE subject_keys (
    data_key INTEGER PRIMARY KEY AUTOINCREMENT, log INTEGER NOT NULL REFERENCES logs (log), subject TEXT NOT NULL,
    epoch INTEGER NOT NULL, wrapped BLOB NOT NULL
  ) STRICT;
  INSERT INTO subject_keys (data_key, log, subject, epoch, wrapped) SELECT data_key, log, '', epoch, wrapped FROM data_keys;
  DROP TABLE data_keys;
  ALTER TABLE subject_keys RENAME TO data_keys;
  CREATE UNIQUE INDEX data_keys_by_subject ON data_keys (subject, log, epoch);
  -- Below them no text, and no body, is left to expire.
  ALTER TABLE logs ADD COLUMN texts_from INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE logs ADD COLUMN bodies_from INTEGER NOT NULL DEFAULT 0;
  CREATE TABLE holds (
    hold TEXT PRIMARY KEY, log INTEGER NOT NULL REFERENCES logs (log), subject TEXT, reason TEXT NOT NULL,
    placed_by TEXT NOT NULL, placed_ms INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX holds_by_log ON holds (log);
  -- Subjects whose keys are gone and whose boxes are still to be deleted, from position next_idx to below end_idx.
  CREATE TABLE erasures (
    erasure INTEGER PRIMARY KEY, log INTEGER NOT NULL REFERENCES logs (log), subject TEXT NOT NULL,
    next_idx INTEGER NOT NULL, end_idx INTEGER NOT NULL
  ) STRICT;
  `,
  // One tree per period. What a log had so far is its tree without a period, and keeps the log's number.
  `
  CREATE TABLE trees (
    tree INTEGER PRIMARY KEY, log INTEGER NOT NULL REFERENCES logs (log), period TEXT NOT NULL, first_idx INTEGER NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX trees_by_period ON trees (log, period);
  INSERT INTO trees (tree, log, period, first_idx) SELECT log, log, '', 0 FROM logs;
  ALTER TABLE tiles RENAME TO tiles_of_logs;
  DROP INDEX tiles_by_place;
  CREATE TABLE tiles (
    tree INTEGER NOT NULL REFERENCES trees (tree), level INTEGER NOT NULL, idx INTEGER NOT NULL,
    root BLOB NOT NULL, hashes BLOB NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX tiles_by_place ON tiles (tree, level, idx);
  INSERT INTO tiles (tree, level, idx, root, hashes) SELECT log, level, idx, root, hashes FROM tiles_of_logs;
  DROP TABLE tiles_of_logs;
  ALTER TABLE checkpoints RENAME TO checkpoints_of_logs;
  DROP INDEX checkpoints_by_size;
  CREATE TABLE checkpoints (
    ordinal INTEGER PRIMARY KEY, tree INTEGER NOT NULL REFERENCES trees (tree), size INTEGER NOT NULL,
    time_ms INTEGER NOT NULL, note TEXT NOT NULL
  ) STRICT;
  CREATE INDEX checkpoints_by_size ON checkpoints (tree, size);
  INSERT INTO checkpoints (ordinal, tree, size, time_ms, note) SELECT ordinal, log, size, time_ms, note FROM checkpoints_of_logs;
  DROP TABLE checkpoints_of_logs;
  `,
  // What the former signing key and the new one signed together, each time that the key was changed.
  `
  CREATE TABLE key_changes (number INTEGER PRIMARY KEY, statement TEXT NOT NULL) STRICT;
  `,
]
