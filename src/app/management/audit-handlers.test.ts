import { expect, it } from 'vitest'
import type { RecordQuery, StoredRecord } from '../../audit/index.ts'
import { systemClock } from '../../kernel/index.ts'
import { auditHandlers } from './audit-handlers.ts'

/** A log of `count` calls; all of them read the log but that at `other`. */
function tailOf(count: number, other: number) {
  const stored = (index: number): StoredRecord => ({
    index,
    id: `record ${index}`,
    timeMs: 0,
    namespace: 'demo',
    kind: 'decision',
    call: String(index),
    json: JSON.stringify({ mcp: { method: index === other ? 'tools/call' : 'audit.checkpoint' } }),
  })
  let pages = 0
  const handlers = auditHandlers(
    {
      async read({ call, afterIndex = count, limit }: RecordQuery) {
        if (call !== undefined) return [stored(Number(call))]
        pages += 1
        return Array.from({ length: Math.min(limit, afterIndex) }, (_, at) => stored(afterIndex - 1 - at))
      },
    } as Parameters<typeof auditHandlers>[0],
    systemClock,
    async () => null,
    {} as Parameters<typeof auditHandlers>[3],
  )
  const tail = async (signal = new AbortController().signal) => {
    const input = { namespace: 'demo', limit: 1, reads: false, waitSeconds: 0 }
    const answer = await handlers['audit.tail'](input, undefined as never, signal)
    return { ...(answer as { records: { index: number }[]; lastIndex: number }), pages }
  }
  return { tail }
}

it('finds what lies behind reads of the log, newest first', async () => {
  const { records, lastIndex } = await tailOf(5000, 100).tail()
  expect([records.map(({ index }) => index), lastIndex]).toEqual([[100], 4999])
})

it('looks no further than a bound where there is nothing but reads, and not at all for somebody who is gone', async () => {
  const { records, lastIndex, pages } = await tailOf(1_000_000, -1).tail()
  expect([records, lastIndex, pages]).toEqual([[], 999_999, 50])
  expect((await tailOf(1_000_000, -1).tail(AbortSignal.abort())).pages).toBe(0)
})
