import type { ExpiryStep } from '../../audit/index.ts'
import { isAsWritten } from '../is-as-written.ts'

/** A record that may be let go. */
export interface DueRecord {
  readonly idx: number
  readonly id: string
  readonly timeMs: number
  readonly kind: string
  readonly call: string
  /** Names of the readers of the log that have not had it. */
  readonly unread: readonly string[]
}

/** A reader's place in the order of all records; -1 before the first. */
export interface ReaderPlace {
  readonly name: string
  readonly seq: number
}

/** The first of the rows that were looked at, up to one that has to stay. */
export interface DueRecords<Row> {
  readonly due: readonly (DueRecord & { readonly row: Row })[]
  /** Position of a row that says something else than its text, where that is what stays. */
  readonly stoppedAt: number | null
}

/**
 * Judges rows of `records`, in the order of their positions: with `free`, whether a signature covers them and their call
 * is not under way, and `read_up_to`, the place of the record or of the end of its call in the order of all.
 *
 * A row that says something else than its text stops it also where its time is not over: it may say so because somebody
 * made it look young.
 */
export function dueRecords<Row extends Record<string, unknown>>(
  rows: readonly Row[],
  { beforeMs, awaited }: ExpiryStep,
  readers: readonly ReaderPlace[],
): DueRecords<Row> {
  const due: (DueRecord & { row: Row })[] = []
  for (const row of rows) {
    const [idx, timeMs] = [Number(row['idx']), Number(row['time_ms'])]
    if (!isAsWritten(row)) return { due, stoppedAt: idx }
    if (timeMs >= beforeMs || !isTrue(row['free'])) break
    const unread = readers.filter(({ seq }) => Number(row['read_up_to']) > seq).map(({ name }) => name)
    if (unread.length > 0 && awaited !== undefined && timeMs >= awaited.untilMs) break
    const { id, kind, call } = row
    due.push({ row, idx, timeMs, id: String(id), kind: String(kind), call: String(call), unread })
  }
  return { due, stoppedAt: null }
}

function isTrue(value: unknown): boolean {
  return value === true || value === 1
}
