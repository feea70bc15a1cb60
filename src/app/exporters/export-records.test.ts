import { describe, expect, it } from 'vitest'
import type { StoredRecord } from '../../audit/index.ts'
import type { Delivery } from '../../exporters/index.ts'
import { McpworksError } from '../../kernel/index.ts'
import { exportRecords } from './export-records.ts'

const record = (id: string): StoredRecord => ({
  index: 0,
  id,
  timeMs: 0,
  namespace: 'demo',
  kind: 'outcome',
  call: 'c',
  json: '{}',
})
const records = (count: number): StoredRecord[] => Array.from({ length: count }, (_, at) => record(`r${at}`))
const taken: Delivery = { status: 'taken', rejected: 0, note: null }
const unacceptable: Delivery = { status: 'unacceptable', reason: 'status 400' }

/** An exporter of ids to a receiver that answers as `answer` says. Records whose id ends on 9 are nothing to it. */
function exporterTo(answer: (ids: readonly string[], attempt: number) => Delivery) {
  let isLogGone = true
  const sent: string[][] = []
  const told: string[] = []
  const counts = { rejected: 0, dropped: 0 }
  const closing = new AbortController()
  const follower = exportRecords(
    { reader: 'x', recordsAtOnce: 100, from: 'end' },
    {
      convert: async ({ id }: StoredRecord) => {
        if (id === 'broken') throw new TypeError('no form for it')
        if (id === 'unread' && isLogGone) throw new McpworksError('storage_unavailable')
        return id.endsWith('9') ? null : id
      },
      send: async (ids) => {
        sent.push([...ids])
        return answer(ids, sent.length)
      },
    },
    counts,
    {
      rejected: (count, note) => told.push(`rejected ${count} ${note}`),
      dropped: (id, why) => told.push(`dropped ${id} ${String(why)}`),
      onChange: () => {},
    },
  )
  const take = (some: readonly StoredRecord[]) => follower.take(some, closing.signal)
  return { take, sent, told, counts, closing, bringLogBack: () => (isLogGone = false) }
}

describe('handing records to a receiver', () => {
  it('sends a batch at once and is done with what is nothing to it', async () => {
    const here = exporterTo(() => taken)
    expect(await here.take(records(11))).toEqual({ done: 11, refused: null })
    expect(here.sent).toEqual([['r0', 'r1', 'r2', 'r3', 'r4', 'r5', 'r6', 'r7', 'r8', 'r10']])
    expect(await here.take([record('r9')])).toEqual({ done: 1, refused: null })
    expect(here.sent).toHaveLength(1)
  })

  it('keeps what was refused, and hands on how long to wait', async () => {
    const here = exporterTo(() => ({ status: 'refused', reason: 'status 503', retryAfterMs: 5000 }))
    expect(await here.take([record('r9'), ...records(2)])).toEqual({
      done: 1,
      refused: 'status 503',
      retryAfterMs: 5000,
    })
  })

  it('finds the record that the receiver will never take, and leaves out that one alone', async () => {
    const here = exporterTo((ids) => (ids.includes('r5') ? unacceptable : taken))
    expect(await here.take(records(8))).toEqual({ done: 8, refused: null })
    const arrived = here.sent.filter((ids) => !ids.includes('r5')).flat()
    expect(arrived).toEqual(['r0', 'r1', 'r2', 'r3', 'r4', 'r6', 'r7'])
    expect(here.told).toEqual(['dropped r5 status 400'])
    expect(here.counts).toEqual({ rejected: 0, dropped: 1 })
  })

  it('is done with what was taken before a refusal', async () => {
    const here = exporterTo((_ids, attempt) =>
      attempt === 1
        ? unacceptable
        : attempt === 2
          ? taken
          : { status: 'refused', reason: 'unreachable', retryAfterMs: 0 },
    )
    expect(await here.take(records(4))).toEqual({ done: 2, refused: 'unreachable', retryAfterMs: 0 })
    expect(here.sent[1]).toEqual(['r0', 'r1'])
  })

  it('does not send again what was taken and rejected, and tells of it', async () => {
    const here = exporterTo(() => ({ status: 'taken', rejected: 2, note: 'too old' }))
    expect(await here.take(records(3))).toEqual({ done: 3, refused: null })
    expect(here.sent).toHaveLength(1)
    expect(here.told).toEqual(['rejected 2 too old'])
    expect(here.counts.rejected).toBe(2)
  })

  it('is not kept by a record that it cannot put into its form', async () => {
    const here = exporterTo(() => taken)
    expect(await here.take([record('broken'), record('r1')])).toEqual({ done: 2, refused: null })
    expect(here.sent).toEqual([['r1']])
    expect(here.told).toEqual(['dropped broken TypeError: no form for it'])
  })

  it('leaves out nothing because the log could not be read for a while', async () => {
    const here = exporterTo(() => taken)
    const given = [record('r0'), record('unread'), record('r1')]
    expect(await here.take(given)).toMatchObject({ done: 1, refused: expect.stringContaining('could not be read') })
    expect(here.sent).toEqual([['r0']])
    here.bringLogBack()
    expect(await here.take(given.slice(1))).toEqual({ done: 2, refused: null })
    expect(here.sent).toEqual([['r0'], ['unread', 'r1']])
    expect([here.told, here.counts.dropped]).toEqual([[], 0])
  })

  it('leaves what it has not begun when it is closed, and does not call that a refusal', async () => {
    const here = exporterTo(() => {
      here.closing.abort()
      return { status: 'refused', reason: 'aborted', retryAfterMs: 0 }
    })
    expect(await here.take(records(3))).toEqual({ done: 0, refused: null })
    expect(await here.take(records(3))).toEqual({ done: 0, refused: null })
    expect(here.sent).toHaveLength(1)
  })
})
