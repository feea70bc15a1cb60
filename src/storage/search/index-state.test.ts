import { expect, it } from 'vitest'
import { indexState } from './index-state.ts'
import type { LogRow, LogRows } from './log-rows.ts'

/** Two logs that were written to by turns: `mine` has every third record, and `theirs` the others. */
function twoLogs(records: number) {
  const all = Array.from({ length: records }, (_, seq) => ({ seq, log: seq % 3 === 0 ? 1 : 2 }))
  const of = (log: number) => all.filter((row) => row.log === log)
  let reads = 0
  const rows: LogRows = {
    logOf: async (namespace) => ({ mine: 1, theirs: 2 })[namespace] ?? null,
    written: async () => all.length,
    length: async (log) => of(log).length,
    has: async () => true,
    after: async () => [],
    async at(log, positions) {
      reads += 1
      return of(log).flatMap(({ seq }, index): LogRow[] =>
        positions.includes(index) ? [{ seq, log, index, id: '', timeMs: 0, kind: '', call: '', json: '' }] : [],
      )
    },
    ofCalls: async () => [],
  }
  return { rows, of, reads: () => reads }
}

it('counts the records of one namespace alone, wherever the index is', async () => {
  const { rows, of } = twoLogs(50)
  for (const [namespace, log] of [
    ['mine', 1],
    ['theirs', 2],
  ] as const)
    for (let seq = -1; seq < 50; seq++) {
      const indexed = of(log).filter((row) => row.seq <= seq).length
      expect(await indexState(rows, namespace, seq)).toEqual({ behind: of(log).length - indexed, indexed })
    }
  expect(await indexState(rows, 'nobody', 20)).toEqual({ behind: 0, indexed: 0 })
})

it('looks at few records where the index is far behind', async () => {
  const { rows, reads } = twoLogs(30_000)
  expect(await indexState(rows, 'mine', 4_000)).toEqual({ behind: 8_666, indexed: 1_334 })
  expect(reads()).toBeLessThan(20)
})
