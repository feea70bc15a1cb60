import { describe, expect, it } from 'vitest'
import type { RecordQuery, StoredRecord } from '../../audit/index.ts'
import { createCallRecords } from './call-records.ts'

function record(index: number, kind: StoredRecord['kind'], call: string, more: object = {}): StoredRecord {
  const json = JSON.stringify({ kind, call, parent_call: null, ...more })
  return { index, id: `r${index}`, timeMs: 0, namespace: 'demo', kind, call, json }
}

/** A log in memory that counts how often it is read. */
function logOf(...records: StoredRecord[]) {
  const state = { reads: 0 }
  const read = async ({ call, kinds, limit }: RecordQuery): Promise<StoredRecord[]> => {
    state.reads += 1
    return records
      .filter((one) => one.call === call && (kinds === undefined || kinds.includes(one.kind)))
      .slice(0, limit)
  }
  return { log: { read }, state }
}

describe('the records of a call', () => {
  const [decision, outcome] = [record(1, 'decision', 'a'), record(2, 'outcome', 'a')]

  it('are put together from what was passed, without reading the log', async () => {
    const { log, state } = logOf(decision, outcome)
    const calls = createCallRecords(log)
    expect(await calls.upTo(decision)).toEqual([decision])
    expect(await calls.upTo(outcome)).toEqual([decision, outcome])
    expect(state.reads).toBe(0)
  })

  it('are read from the log where the decision was passed before the start', async () => {
    const { log } = logOf(decision, outcome, record(3, 'abandoned', 'a'))
    expect(await createCallRecords(log).upTo(outcome)).toEqual([decision, outcome])
  })

  it('lack what the log does not have any more', async () => {
    const { log } = logOf({ ...decision, json: '' }, outcome)
    expect(await createCallRecords(log).upTo(outcome)).toEqual([outcome])
  })

  it('are remembered for a bounded number of calls', async () => {
    const { log, state } = logOf(decision, outcome)
    const calls = createCallRecords(log)
    await calls.upTo(decision)
    for (let at = 0; at < 1000; at += 1) await calls.upTo(record(at + 10, 'decision', `other ${at}`))
    expect(await calls.upTo(outcome)).toEqual([decision, outcome])
    expect(state.reads).toBe(1)
  })

  it('lead from an inner call to the outermost, once', async () => {
    const { log, state } = logOf(
      record(1, 'decision', 'a'),
      record(2, 'decision', 'b', { parent_call: 'a' }),
      record(3, 'decision', 'c', { parent_call: 'b' }),
    )
    const calls = createCallRecords(log)
    expect(await calls.outermost('demo', 'c')).toBe('a')
    expect(await calls.outermost('demo', 'c')).toBe('a')
    expect(state.reads).toBe(3)
    expect(await calls.outermost('demo', 'gone')).toBe('gone')
  })

  it('end for parents that are each other’s', async () => {
    const { log } = logOf(
      record(1, 'decision', 'a', { parent_call: 'b' }),
      record(2, 'decision', 'b', { parent_call: 'a' }),
    )
    expect(await createCallRecords(log).outermost('demo', 'a')).toMatch(/^[ab]$/)
  })
})
