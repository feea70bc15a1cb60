import { ColumnsDigest, PositionRanges, type UnreadTexts } from '../../audit/index.ts'
import type { JsonObject } from '../../kernel/index.ts'
import { lastingKinds } from '../lasting-kinds.ts'
import type { DueRecord } from './due-records.ts'

/** What becomes of the records of a step that lets texts go. */
export interface TextsStep {
  /** Their texts go. */
  readonly gone: readonly DueRecord[]
  /** Position below which all is done. */
  readonly below: number
  readonly unread: readonly UnreadTexts[]
  /** The record of it. */
  event(about: { readonly from: number; readonly calls: readonly string[]; readonly days: number }): JsonObject
}

/** Plans it; `null` where there is nothing to pass. */
export function planTexts(due: readonly DueRecord[]): TextsStep | null {
  const last = due.at(-1)
  if (last === undefined) return null
  const kept = new PositionRanges()
  const columns = new ColumnsDigest()
  const gone: DueRecord[] = []
  const unread = new Map<string, UnreadTexts>()
  for (const one of due) {
    if (lastingKinds.has(one.kind)) {
      kept.add(one.idx)
      continue
    }
    gone.push(one)
    columns.add({ ...one, index: one.idx })
    for (const reader of one.unread) {
      const known = unread.get(reader)
      unread.set(reader, { reader, records: (known?.records ?? 0) + 1, since: known?.since ?? one.idx })
    }
  }
  const below = last.idx + 1
  const lost = [...unread.values()]
  return {
    gone,
    below,
    unread: lost,
    event: ({ from, calls, days }) => ({
      what: 'texts',
      from,
      below,
      ...(kept.list.length === 0 ? {} : { kept: asJson(kept) }),
      removed: gone.length,
      ...(gone.length === 0 ? {} : { columns: columns.digest() }),
      ...(lost.length === 0 ? {} : { unread: lost.map(({ reader, records }) => ({ reader, records })) }),
      calls: [...calls],
      days,
    }),
  }
}

/** Ranges as they stand in a record. */
export function asJson(ranges: PositionRanges): number[][] {
  return ranges.list.map(([from, to]) => [from, to])
}
