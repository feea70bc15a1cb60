import type { KeyObject } from 'node:crypto'
import type { HeadRow, WriterHead } from '../../../audit/index.ts'
import { headMacFits } from '../../audit-head.ts'
import type { Session } from '../session.ts'
import type { Stretch } from './stretch.ts'
import { readWriterRows, writerMacFits } from './writer-row.ts'

/** The head, and the order in which the records that wait for their sequence numbers are going to get them. */
export interface StoredHead {
  readonly head: HeadRow
  readonly waiting: readonly Stretch[]
}

/**
 * Counts the records that no stretch can lead to: before a writer's first position, and between the numbers of the
 * writers. Said in ranges of the primary key, so that what is in its place need not be gone through.
 */
const strayRecords = `
  SELECT count(*) FROM (
    SELECT writer::bigint AS low, writer::bigint AS high, 0::bigint AS below FROM writers
    UNION ALL SELECT COALESCE(lag(writer) OVER (ORDER BY writer), -2147483649::bigint) + 1, writer::bigint - 1, NULL
      FROM writers
    UNION ALL SELECT COALESCE(max(writer), -2147483649::bigint) + 1, 2147483647, NULL FROM writers
  ) AS gap JOIN records AS stray
    ON stray.writer >= gap.low AND stray.writer <= gap.high AND (gap.below IS NULL OR stray.pos < gap.below)`

/** Reads all of it in one snapshot. `null` where there is no log. `key` authenticates the rows. @throws DatabaseError */
export async function readStoredHead(session: Session, key: KeyObject | null): Promise<StoredHead | null> {
  await session.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
  try {
    return await readInSnapshot(session, key)
  } finally {
    if (session.ended === null) await session.query('ROLLBACK')
  }
}

async function readInSnapshot(session: Session, key: KeyObject | null): Promise<StoredHead | null> {
  const { rows } = await session.query(
    `SELECT convert_from(value, 'UTF8') AS log_id, epoch, next_seq, checkpoints, mac,
       (SELECT max(first_seq + records - 1) FROM stretches) AS newest_seq,
       (SELECT max(ordinal) FROM checkpoints) AS newest_checkpoint, (SELECT max(tree) FROM trees) AS newest_tree,
       (${strayRecords}) AS strays, (SELECT count(*) FROM key_changes) AS key_changes
     FROM meta LEFT JOIN head ON TRUE WHERE name = 'log_id'`,
  )
  const [row] = rows
  const writers = await readWriters(session, key, String(row?.['log_id']))
  if (row === undefined || writers.length === 0) return null
  const nextSeq = Number(row['next_seq'] ?? 0)
  const waiting = await readWaiting(session, nextSeq)
  const last = waiting.at(-1)
  const head = {
    nextSeq,
    waiting: last === undefined ? 0 : last.firstSeq + last.records - nextSeq,
    checkpoints: Number(row['checkpoints'] ?? 0),
    mac: macOf(row, key),
    newestSeq: numberOrNull(row['newest_seq']),
    newestCheckpoint: numberOrNull(row['newest_checkpoint']),
    newestTree: numberOrNull(row['newest_tree']),
    strays: Number(row['strays']),
    keyChanges: Number(row['key_changes']),
    writers,
  }
  return { head, waiting }
}

/** A log whose sequencer has not begun yet has no head, and nothing that it would speak of. */
function macOf(row: Record<string, unknown>, key: KeyObject | null): HeadRow['mac'] {
  if (key === null) return 'unchecked'
  const isEmpty = row['newest_seq'] === null && row['newest_checkpoint'] === null
  if (row['mac'] === null) return isEmpty ? 'good' : 'bad'
  const head = {
    epoch: Number(row['epoch']),
    nextSeq: Number(row['next_seq']),
    checkpoints: Number(row['checkpoints']),
    lastHash: null,
    openFrom: 0,
  }
  return headMacFits(key, String(row['log_id']), head, row['mac'] as Uint8Array) ? 'good' : 'bad'
}

async function readWriters(session: Session, key: KeyObject | null, logId: string): Promise<WriterHead[]> {
  const newest = await session.query(
    `SELECT writer, (SELECT max(pos) FROM records WHERE records.writer = writers.writer) AS newest FROM writers`,
  )
  const newestOf = new Map(newest.rows.map((row) => [Number(row['writer']), numberOrNull(row['newest'])]))
  return (await readWriterRows(session)).map((row) => ({
    writer: row.writer,
    epoch: row.position.epoch,
    nextPosition: row.position.nextPosition,
    lastHash: row.position.lastHash,
    mac: key === null ? 'unchecked' : writerMacFits(key, logId, row) ? 'good' : 'bad',
    newestPosition: newestOf.get(row.writer) ?? null,
  }))
}

/** By batches, as the sequencer orders them. A record that is missing from one leaves a hole in the order. */
async function readWaiting(session: Session, nextSeq: number): Promise<Stretch[]> {
  const { rows } = await session.query(
    `SELECT waiting.writer, min(pos) AS first_pos, max(pos) - min(pos) + 1 AS records
     FROM writers LEFT JOIN sequenced USING (writer) JOIN records AS waiting
       ON waiting.writer = writers.writer AND pos >= COALESCE(sequenced.next_pos, 0)
     GROUP BY batch, waiting.writer ORDER BY batch`,
  )
  let firstSeq = nextSeq
  return rows.map((row) => {
    const records = Number(row['records'])
    const stretch = { firstSeq, writer: Number(row['writer']), firstPosition: Number(row['first_pos']), records }
    firstSeq += records
    return stretch
  })
}

function numberOrNull(value: unknown): number | null {
  return value === null || value === undefined ? null : Number(value)
}
