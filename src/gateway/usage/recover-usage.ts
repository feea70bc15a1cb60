import type { DecisionLog, StoredRecord } from '../../audit/index.ts'
import { isJsonObject, type JsonObject } from '../../kernel/index.ts'
import type { UsageBook } from './usage-book.ts'
import type { UsageMark } from './usage-counter-store.ts'
import type { UsageKey } from './usage-ledger.ts'

const pageSize = 1000

/** Longer than a second counts towards the minute. */
const minuteMs = 120_000

/**
 * Counts what a namespace's log holds beyond its mark: what a process counted that was killed before it could keep it.
 * Where there is no mark, what belongs to the day is looked for from the log's end.
 */
export async function recoverUsage(
  namespace: string,
  mark: UsageMark | undefined,
  startOfDayMs: number,
  log: Pick<DecisionLog, 'read'>,
  book: UsageBook,
): Promise<void> {
  const keys = new Map<string, UsageKey>()
  let afterIndex = mark?.throughIndex ?? (await lastIndexBefore(namespace, startOfDayMs - minuteMs, log))
  for (;;) {
    const records = await log.read({ namespace, afterIndex, kinds: ['decision', 'outcome'], limit: pageSize })
    for (const record of records) {
      // Records carry the time of a clock that may have been set back since the mark.
      const timeMs = Math.max(record.timeMs, mark?.atMs ?? 0)
      await count(record, timeMs)
      afterIndex = record.index
    }
    if (records.length < pageSize) break
  }
  book.noteRead(namespace, afterIndex)

  async function count({ kind, call, index, json }: StoredRecord, timeMs: number): Promise<void> {
    const record = objectIn(json)
    if (kind === 'decision') {
      const decided = countedKey(namespace, record)
      if (decided === null) return
      keys.set(call, decided.key)
      await book.ready(decided.key)
      book.addRecorded(decided.key, timeMs, { calls: 1, bytesOut: 0, spend: decided.spend }, index)
      return
    }
    const key = keys.get(call) ?? (await keyOfCall(call))
    keys.delete(call)
    if (key === null) return
    await book.ready(key)
    const bytesOut = wholeNumber(objectAt(record, 'outcome').bytes_out)
    book.addRecorded(key, timeMs, { calls: 0, bytesOut, spend: 0 }, index)
  }

  async function keyOfCall(call: string): Promise<UsageKey | null> {
    const [decision] = await log.read({ namespace, call, kinds: ['decision'], limit: 1 })
    return decision === undefined ? null : (countedKey(namespace, objectIn(decision.json))?.key ?? null)
  }
}

/** Index of the newest record before a moment; -1 where there is none. */
async function lastIndexBefore(namespace: string, timeMs: number, log: Pick<DecisionLog, 'read'>): Promise<number> {
  let before: { afterIndex: number } | undefined
  for (;;) {
    const page = await log.read({ namespace, descending: true, limit: pageSize, ...before })
    const found = page.find((record) => record.timeMs < timeMs)
    if (found !== undefined) return found.index
    const oldest = page.at(-1)
    if (oldest === undefined || page.length < pageSize) return -1
    before = { afterIndex: oldest.index }
  }
}

/** What a decision counts towards; `null` for one that nothing was counted for. */
function countedKey(namespace: string, record: JsonObject): { key: UsageKey; spend: number } | null {
  const pre = objectAt(record, 'pre')
  const quota = objectAt(pre, 'quota')
  const principal = objectAt(pre, 'principal').id
  const { target } = quota
  if (objectAt(record, 'decision').effect !== 'allow') return null
  if (typeof target !== 'string' || typeof principal !== 'string') return null
  return { key: { namespace, principal, target }, spend: wholeNumber(quota.spend) }
}

function objectIn(json: string): JsonObject {
  const value: unknown = JSON.parse(json)
  return isJsonObject(value) ? value : {}
}

function objectAt(object: JsonObject, name: string): JsonObject {
  const value = object[name]
  return isJsonObject(value) ? value : {}
}

const wholeNumber = (value: unknown): number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : 0
