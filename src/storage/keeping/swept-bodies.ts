import { parseObject, PositionRanges, readRemoval, subjectOfDecision } from '../../audit/index.ts'
import type { JsonObject } from '../../kernel/index.ts'
import { isAsWritten } from '../is-as-written.ts'
import { asJson } from './texts-event.ts'

/** A text that was let go: nothing can be told from it, and nothing be said against it. */
type Gone = 'gone'

/**
 * The keys that a record says were erased, with whose they were; `null` where the row is not that of such a record, as it
 * was written. What else in the database says so is not believed: whoever can change it could have the log itself delete
 * what was never erased.
 */
export function erasedKeys(row: Record<string, unknown> | undefined): ReadonlySet<number> | Gone | null {
  if (row?.['json'] === '') return 'gone'
  if (row === undefined || !isAsWritten(row)) return null
  const removal = readRemoval(String(row['kind']), parseObject(String(row['json']))?.['event'])
  return removal?.kind === 'keys' && removal.subject === row['subject'] ? new Set(removal.keys) : null
}

/**
 * Whose what lies beside a record is, as its text says, or that of its decision; `null` where one of them is not as it
 * was written. The row has the decision's columns with `decision_` before them.
 */
export function recordedSubject(row: Record<string, unknown>): { readonly subject: string | null } | Gone {
  if (!isAsWritten(row)) return { subject: null }
  if (row['kind'] === 'decision') return { subject: subjectOfDecision(String(row['json'])) }
  if (row['decision_json'] === '') return 'gone'
  const decision = {
    id: row['decision_id'],
    kind: 'decision',
    call: row['call'],
    time_ms: row['decision_time_ms'],
    leaf_hash: row['decision_leaf_hash'],
    json: row['decision_json'] ?? '',
  }
  return { subject: isAsWritten(decision) ? subjectOfDecision(String(decision.json)) : null }
}

/** What a sweep found under keys that were erased. */
export interface SweptBodies<Row> {
  readonly covered: readonly Row[]
  /** The record of what goes; `null` where nothing does. */
  readonly event: JsonObject | null
  /** The alarm about what stays; `null` where all is as it should be. */
  readonly alarm: JsonObject | null
}

/** Tells what was of the principal from what only looks like it, of rows in the order of their positions. */
export function sweptBodies<Row extends Record<string, unknown>>(
  rows: readonly Row[],
  { subject, erasure }: { readonly subject: string; readonly erasure: number },
): SweptBodies<Row> {
  const [gone, stays] = [new PositionRanges(), new PositionRanges()]
  const covered: Row[] = []
  // A call has one decision. Where there are more of them, somebody put them there, and they would have to agree.
  for (const [idx, ones] of Map.groupBy(rows, (row) => Number(row['idx']))) {
    const recorded = ones.map(recordedSubject)
    // Unreadable as it is, it goes with the text.
    if (recorded.includes('gone')) continue
    const [row] = ones
    const isCovered = recorded.every((one) => one !== 'gone' && one.subject === subject)
    if (isCovered && row !== undefined) covered.push(row)
    const place = isCovered ? gone : stays
    place.add(idx)
  }
  return {
    covered,
    event: covered.length === 0 ? null : { type: 'bodies', subject, ranges: asJson(gone), removed: covered.length },
    alarm: stays.list.length === 0 ? null : { ...uncoveredErasure(subject, erasure), ranges: asJson(stays) },
  }
}

/** The alarm about an erasure that the log knows nothing of. */
export function uncoveredErasure(subject: string, erasure: number): JsonObject {
  return { type: 'erasure-uncovered', subject, erasure }
}
