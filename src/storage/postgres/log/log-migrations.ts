/** The schema of the decision log's tables. */
export const logSchema = 'mcpworks_log'

/**
 * Scripts that bring the decision log's schema from one version to the next. Never edited once released; only added to.
 *
 * What writers write and what the sequencer writes are tables of their own, so that neither waits for the other. The only
 * rows that several writers change are those of `logs`; they are locked in the order of their numbers, by one statement.
 */
export const logMigrations: readonly string[] = [
  `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value BYTEA NOT NULL);
  CREATE TABLE logs (
    log INT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, namespace TEXT NOT NULL UNIQUE,
    -- The position that the next record gets. Whoever has this row locked is the only one who adds to the log.
    next_idx BIGINT NOT NULL DEFAULT 0
  );
  -- Each open log is one of them while it holds an advisory lock with the writer's number. The row is its head: where its
  -- chain is, changed in every commit.
  CREATE TABLE writers (
    writer INT PRIMARY KEY, epoch BIGINT NOT NULL, next_pos BIGINT NOT NULL, last_hash BYTEA, open_from BIGINT NOT NULL,
    mac BYTEA NOT NULL
  );
  -- Drawn while the rows of logs are locked: so its order agrees with that of every log and of every writer.
  CREATE SEQUENCE batches AS BIGINT CACHE 1;
  CREATE TABLE records (
    writer INT NOT NULL, pos BIGINT NOT NULL, batch BIGINT NOT NULL, log INT NOT NULL, idx BIGINT NOT NULL, id UUID NOT NULL,
    time_ms BIGINT NOT NULL, kind TEXT NOT NULL, call TEXT NOT NULL, principal TEXT, leaf_hash BYTEA NOT NULL,
    json TEXT NOT NULL, PRIMARY KEY (writer, pos)
  );
  -- A text of the usual length is kept in its row as it is: to compress it would cost more than it saves.
  ALTER TABLE records SET (toast_tuple_target = 8160);
  CREATE UNIQUE INDEX records_by_index ON records (log, idx);
  CREATE INDEX records_by_call ON records (call);
  -- Decisions and outcomes are nearly all records: finding one of them needs no index, and having one would cost every append.
  CREATE INDEX records_by_rare_kind ON records (log, kind, idx) WHERE kind NOT IN ('decision', 'outcome');
  CREATE INDEX records_by_principal ON records (log, principal, idx) WHERE principal IS NOT NULL;
  CREATE TABLE data_keys (
    data_key BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, log INT NOT NULL REFERENCES logs (log), subject TEXT NOT NULL,
    writer INT NOT NULL, epoch BIGINT NOT NULL, wrapped BYTEA NOT NULL
  );
  CREATE UNIQUE INDEX data_keys_by_subject ON data_keys (subject, log, writer, epoch);
  CREATE TABLE bodies (
    writer INT NOT NULL, pos BIGINT NOT NULL, data_key BIGINT NOT NULL, sealed BYTEA NOT NULL, PRIMARY KEY (writer, pos)
  );
  ALTER TABLE bodies ALTER COLUMN sealed SET STORAGE EXTERNAL;
  ALTER TABLE bodies SET (toast_tuple_target = 8160);

  -- The sequencer's. One order over all records: stretches of a writer's records, one after the other.
  CREATE TABLE stretches (
    first_seq BIGINT PRIMARY KEY, writer INT NOT NULL, first_pos BIGINT NOT NULL, records BIGINT NOT NULL CHECK (records > 0)
  );
  CREATE UNIQUE INDEX stretches_by_writer ON stretches (writer, first_pos);
  CREATE TABLE sequenced (writer INT PRIMARY KEY, next_pos BIGINT NOT NULL);
  CREATE TABLE trees (
    tree INT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, log INT NOT NULL REFERENCES logs (log), period TEXT NOT NULL,
    first_idx BIGINT NOT NULL,
    -- Leaves so far.
    size BIGINT NOT NULL DEFAULT 0
  );
  CREATE UNIQUE INDEX trees_by_period ON trees (log, period);
  CREATE TABLE tiles (
    tree INT NOT NULL REFERENCES trees (tree), level INT NOT NULL, idx BIGINT NOT NULL, root BYTEA NOT NULL,
    hashes BYTEA NOT NULL, PRIMARY KEY (tree, level, idx)
  );
  ALTER TABLE tiles ALTER COLUMN hashes SET STORAGE EXTERNAL;
  CREATE TABLE checkpoints (
    ordinal BIGINT PRIMARY KEY, tree INT NOT NULL REFERENCES trees (tree), size BIGINT NOT NULL, time_ms BIGINT NOT NULL,
    note TEXT NOT NULL
  );
  CREATE INDEX checkpoints_by_size ON checkpoints (tree, size);
  -- Where the sequencer is: one row, changed in every commit of its own.
  CREATE TABLE head (
    one BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (one), epoch BIGINT NOT NULL, next_seq BIGINT NOT NULL,
    checkpoints BIGINT NOT NULL, mac BYTEA NOT NULL
  );
  CREATE TABLE probe (bytes BYTEA NOT NULL);
  ALTER TABLE probe ALTER COLUMN bytes SET STORAGE EXTERNAL;

  -- Adds a writer's batch: all of it or nothing, in one statement, so that one way to the database and back is enough.
  -- Arrays run in parallel. Fails where the writer is not where the caller believes it to be, where a log is unknown, and
  -- where a key is gone. Answers the position that each of the logs gave to its first record of the batch.
  CREATE FUNCTION append_batch(
    in_writer INT, in_epoch BIGINT, in_first_pos BIGINT, in_logs INT[], in_counts BIGINT[],
    in_log INT[], in_nth BIGINT[], in_id UUID[], in_time_ms BIGINT[], in_kind TEXT[], in_call TEXT[], in_principal TEXT[],
    in_leaf_hash BYTEA[], in_json TEXT[], in_body_pos BIGINT[], in_body_key BIGINT[], in_body_sealed BYTEA[],
    in_keys BIGINT[], in_next_pos BIGINT, in_last_hash BYTEA, in_open_from BIGINT, in_mac BYTEA
  ) RETURNS BIGINT[] LANGUAGE plpgsql AS $$
  DECLARE
    bases BIGINT[];
    this_batch BIGINT;
  BEGIN
    SELECT array_agg(locked.next_idx ORDER BY locked.log) INTO bases
      FROM (SELECT log, next_idx FROM logs WHERE log = ANY (in_logs) ORDER BY log FOR UPDATE) AS locked;
    IF cardinality(bases) IS DISTINCT FROM cardinality(in_logs) THEN
      RAISE EXCEPTION 'a log is unknown' USING ERRCODE = 'MW003';
    END IF;
    UPDATE logs SET next_idx = next_idx + added.records
      FROM unnest(in_logs, in_counts) AS added (log, records) WHERE logs.log = added.log;
    this_batch := nextval('batches');
    INSERT INTO records (writer, pos, batch, log, idx, id, time_ms, kind, call, principal, leaf_hash, json)
      SELECT in_writer, in_first_pos + item.place - 1, this_batch, item.log, base.idx + item.nth, item.id, item.time_ms,
          item.kind, item.call, item.principal, item.leaf_hash, item.json
        FROM unnest(in_log, in_nth, in_id, in_time_ms, in_kind, in_call, in_principal, in_leaf_hash, in_json)
          WITH ORDINALITY AS item (log, nth, id, time_ms, kind, call, principal, leaf_hash, json, place)
        JOIN unnest(in_logs, bases) AS base (log, idx) USING (log);
    IF cardinality(in_keys) > 0 THEN
      IF (SELECT count(*) FROM data_keys WHERE data_key = ANY (in_keys)) <> cardinality(in_keys) THEN
        RAISE EXCEPTION 'a key is gone' USING ERRCODE = 'MW002';
      END IF;
      INSERT INTO bodies (writer, pos, data_key, sealed)
        SELECT in_writer, body.pos, body.data_key, body.sealed
          FROM unnest(in_body_pos, in_body_key, in_body_sealed) AS body (pos, data_key, sealed);
    END IF;
    UPDATE writers SET next_pos = in_next_pos, last_hash = in_last_hash, open_from = in_open_from, mac = in_mac
      WHERE writer = in_writer AND epoch = in_epoch AND next_pos = in_first_pos;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'the writer is elsewhere' USING ERRCODE = 'MW001';
    END IF;
    RETURN bases;
  END $$;
  `,
  // What may not be taken out of the log, what of it is to go after its key, and how far expiry has come.
  `
  CREATE TABLE holds (
    hold TEXT PRIMARY KEY, log INT NOT NULL REFERENCES logs (log), subject TEXT, reason TEXT NOT NULL,
    placed_by TEXT NOT NULL, placed_ms BIGINT NOT NULL
  );
  CREATE INDEX holds_by_log ON holds (log);
  CREATE TABLE erasures (
    erasure BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, log INT NOT NULL REFERENCES logs (log), subject TEXT NOT NULL,
    -- The keys that were deleted. Boxes from next_idx on and below end_idx may be theirs.
    keys BIGINT[] NOT NULL, next_idx BIGINT NOT NULL, end_idx BIGINT NOT NULL
  );
  -- Not in logs, whose rows every append changes.
  CREATE TABLE expiry (
    log INT PRIMARY KEY REFERENCES logs (log), texts_from BIGINT NOT NULL DEFAULT 0, bodies_from BIGINT NOT NULL DEFAULT 0,
    -- Calls whose decision is below texts_from and whose end is not.
    cut_calls TEXT[] NOT NULL DEFAULT '{}'
  );
  `,
  // What the former signing key and the new one signed together, each time that the key was changed.
  `
  CREATE TABLE key_changes (number INT PRIMARY KEY, statement TEXT NOT NULL);
  `,
  // As before, but where all of a batch is of one log, which most are, its row is locked and moved by one statement.
  `
  CREATE OR REPLACE FUNCTION append_batch(
    in_writer INT, in_epoch BIGINT, in_first_pos BIGINT, in_logs INT[], in_counts BIGINT[],
    in_log INT[], in_nth BIGINT[], in_id UUID[], in_time_ms BIGINT[], in_kind TEXT[], in_call TEXT[], in_principal TEXT[],
    in_leaf_hash BYTEA[], in_json TEXT[], in_body_pos BIGINT[], in_body_key BIGINT[], in_body_sealed BYTEA[],
    in_keys BIGINT[], in_next_pos BIGINT, in_last_hash BYTEA, in_open_from BIGINT, in_mac BYTEA
  ) RETURNS BIGINT[] LANGUAGE plpgsql AS $$
  DECLARE
    bases BIGINT[];
    this_batch BIGINT;
  BEGIN
    IF cardinality(in_logs) = 1 THEN
      UPDATE logs SET next_idx = next_idx + in_counts[1] WHERE log = in_logs[1]
        RETURNING ARRAY[next_idx - in_counts[1]] INTO bases;
      IF NOT FOUND THEN
        RAISE EXCEPTION 'a log is unknown' USING ERRCODE = 'MW003';
      END IF;
    ELSE
      SELECT array_agg(locked.next_idx ORDER BY locked.log) INTO bases
        FROM (SELECT log, next_idx FROM logs WHERE log = ANY (in_logs) ORDER BY log FOR UPDATE) AS locked;
      IF cardinality(bases) IS DISTINCT FROM cardinality(in_logs) THEN
        RAISE EXCEPTION 'a log is unknown' USING ERRCODE = 'MW003';
      END IF;
      UPDATE logs SET next_idx = next_idx + added.records
        FROM unnest(in_logs, in_counts) AS added (log, records) WHERE logs.log = added.log;
    END IF;
    this_batch := nextval('batches');
    INSERT INTO records (writer, pos, batch, log, idx, id, time_ms, kind, call, principal, leaf_hash, json)
      SELECT in_writer, in_first_pos + item.place - 1, this_batch, item.log, base.idx + item.nth, item.id, item.time_ms,
          item.kind, item.call, item.principal, item.leaf_hash, item.json
        FROM unnest(in_log, in_nth, in_id, in_time_ms, in_kind, in_call, in_principal, in_leaf_hash, in_json)
          WITH ORDINALITY AS item (log, nth, id, time_ms, kind, call, principal, leaf_hash, json, place)
        JOIN unnest(in_logs, bases) AS base (log, idx) USING (log);
    IF cardinality(in_keys) > 0 THEN
      IF (SELECT count(*) FROM data_keys WHERE data_key = ANY (in_keys)) <> cardinality(in_keys) THEN
        RAISE EXCEPTION 'a key is gone' USING ERRCODE = 'MW002';
      END IF;
      INSERT INTO bodies (writer, pos, data_key, sealed)
        SELECT in_writer, body.pos, body.data_key, body.sealed
          FROM unnest(in_body_pos, in_body_key, in_body_sealed) AS body (pos, data_key, sealed);
    END IF;
    UPDATE writers SET next_pos = in_next_pos, last_hash = in_last_hash, open_from = in_open_from, mac = in_mac
      WHERE writer = in_writer AND epoch = in_epoch AND next_pos = in_first_pos;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'the writer is elsewhere' USING ERRCODE = 'MW001';
    END IF;
    RETURN bases;
  END $$;
  `,
]
