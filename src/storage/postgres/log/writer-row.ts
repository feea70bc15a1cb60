import type { KeyObject } from 'node:crypto'
import { writerIdOf } from '../../../audit/index.ts'
import { headMac, headMacFits, type AuditHead } from '../../audit-head.ts'
import type { Session } from '../session.ts'
import { releaseAdvisoryLock, tryAdvisoryLock } from './advisory-locks.ts'
import { mostWriters } from './record-place.ts'

/** Where a writer's chain is. */
export interface WriterPosition {
  /** Starts so far. */
  readonly epoch: number
  readonly nextPosition: number
  /** Leaf hash of its newest record, `null` before the first. */
  readonly lastHash: Uint8Array | null
  /** No allowed decision of it below this position is without its outcome. */
  readonly openFrom: number
}

/** Authenticates a writer's row. */
export function writerMac(key: KeyObject, logId: string, writer: number, position: WriterPosition): Buffer {
  return headMac(key, writerIdOf(logId, writer), headOf(position))
}

/** Whether the MAC is the row's own. */
export function writerMacFits(key: KeyObject, logId: string, { writer, position, mac }: WriterRow): boolean {
  return headMacFits(key, writerIdOf(logId, writer), headOf(position), mac)
}

function headOf({ epoch, nextPosition, lastHash, openFrom }: WriterPosition): AuditHead {
  return { epoch, nextSeq: nextPosition, lastHash, checkpoints: 0, openFrom }
}

/** A writer's row as it lies there. */
export interface WriterRow {
  readonly writer: number
  readonly position: WriterPosition
  readonly mac: Uint8Array
}

/** All writers, ascending. @throws DatabaseError */
export async function readWriterRows(session: Session): Promise<WriterRow[]> {
  const { rows } = await session.query(
    'SELECT writer, epoch, next_pos, last_hash, open_from, mac FROM writers ORDER BY writer',
  )
  return rows.map((row) => ({
    writer: Number(row['writer']),
    position: {
      epoch: Number(row['epoch']),
      nextPosition: Number(row['next_pos']),
      lastHash: row['last_hash'] as Uint8Array | null,
      openFrom: Number(row['open_from']),
    },
    mac: row['mac'] as Uint8Array,
  }))
}

/** A writer that this session has locked, and where its chain was left. */
export interface TakenWriter {
  readonly writer: number
  readonly left: WriterPosition
}

const unused: WriterPosition = { epoch: 0, nextPosition: 0, lastHash: null, openFrom: 0 }

/**
 * Takes the lowest writer that nobody has, or a new one; the session keeps its lock. A row whose code is not its own was
 * changed by somebody else: its writer is never taken again, so that the row stays for the verifier to find.
 * @throws DatabaseError; RangeError where all of them are taken
 */
export async function takeWriter(session: Session, key: KeyObject, logId: string): Promise<TakenWriter> {
  const known = await readWriterRows(session)
  for (const { writer } of known) {
    if (!(await tryAdvisoryLock(session, writer))) continue
    // Read again under the lock: whoever had it may just have written its last.
    const row = (await readWriterRows(session)).find((other) => other.writer === writer)
    if (row !== undefined && writerMacFits(key, logId, row)) return { writer, left: row.position }
    await releaseAdvisoryLock(session, writer)
  }
  for (let writer = (known.at(-1)?.writer ?? 0) + 1; writer <= mostWriters; writer++) {
    if (!(await tryAdvisoryLock(session, writer))) continue
    const mac = writerMac(key, logId, writer, unused)
    const { changes } = await session.query(
      `INSERT INTO writers (writer, epoch, next_pos, last_hash, open_from, mac) VALUES ($1, 0, 0, NULL, 0, $2)
       ON CONFLICT (writer) DO NOTHING`,
      [writer, mac],
    )
    if (changes === 1) return { writer, left: unused }
    await releaseAdvisoryLock(session, writer)
  }
  throw new RangeError('the database has no writer left')
}
