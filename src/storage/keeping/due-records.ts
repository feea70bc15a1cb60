import type { ExpiryStep } from '../../audit/index.ts'
import { isAsWritten } from '../is-as-written.ts'

const dayMs = 86_400_000

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
 *
 * A record that is dated ahead, because the clock was, is as old as the next one that is not (`beyond`, where that is not
 * among the rows), and no older than the one before: else it would keep all that came after it until its date.
 */
export function dueRecords<Row extends Record<string, unknown>>(
  rows: readonly Row[],
  step: ExpiryStep,
  readers: readonly ReaderPlace[],
  beyond?: Record<string, unknown>,
): DueRecords<Row> {
  const { beforeMs, awaited } = step
  const written = writtenMs(rows, latestMs(step), beyond)
  const due: (DueRecord & { row: Row })[] = []
  for (const [at, row] of rows.entries()) {
    const [idx, timeMs] = [Number(row['idx']), Number(row['time_ms'])]
    if (!isAsWritten(row)) return { due, stoppedAt: idx }
    const ageMs = written[at] ?? timeMs
    if (ageMs >= beforeMs || !isTrue(row['free'])) break
    const unread = readers.filter(({ seq }) => Number(row['read_up_to']) > seq).map(({ name }) => name)
    if (unread.length > 0 && awaited !== undefined && ageMs >= awaited.untilMs) break
    const { id, kind, call } = row
    due.push({ row, idx, timeMs, id: String(id), kind: String(kind), call: String(call), unread })
  }
  return { due, stoppedAt: null }
}

function isTrue(value: unknown): boolean {
  return value === true || value === 1
}

/** Records behind those of a step that are looked through for one that is not dated ahead. */
export const lookedAhead = 100_000

/** What is dated later is dated ahead: the time by which the step goes, or that was counted up to where the clock is behind. */
export function latestMs({ beforeMs, days, latestMs: counted = beforeMs + days * dayMs }: ExpiryStep): number {
  return counted
}

/** When each of the rows can have been written at the latest. */
function writtenMs(
  rows: readonly Record<string, unknown>[],
  latest: number,
  beyond: Record<string, unknown> | undefined,
): number[] {
  const times = rows.map((row) => Number(row['time_ms']))
  const written = [...times]
  let before = -Infinity
  let next = { at: -1, timeMs: Infinity }
  for (const [at, timeMs] of times.entries()) {
    if (timeMs <= latest) {
      before = timeMs
      continue
    }
    if (next.at < at) {
      const found = times.findIndex((other, place) => place > at && other <= latest)
      const row = found === -1 ? beyond : rows[found]
      const isKnown = row !== undefined && isAsWritten(row)
      next = { at: found === -1 ? rows.length : found, timeMs: isKnown ? Number(row['time_ms']) : Infinity }
    }
    written[at] = Math.max(before, next.timeMs)
  }
  return written
}
