import { expect, it } from 'vitest'
import type { ExpiryStep, RecordDraft, RecordQuery, StepResult, StoredRecord } from '../../audit/index.ts'
import { startSweeper } from './start-sweeper.ts'
import type { RetentionTime } from './open-retention-clock.ts'
import { watchKeeping } from './watch-keeping.ts'

const day = 86_400_000
const now = Date.UTC(2026, 5, 1)

/** A sweeper over a keeper that notes what it is asked for. */
function sweeping(
  time: RetentionTime,
  log: StoredRecord[] = [],
  answer: (step: ExpiryStep) => Partial<StepResult> = () => ({}),
) {
  const steps: ExpiryStep[] = []
  const failures: unknown[] = []
  const lines: string[] = []
  const state = { time, swept: {} as Partial<StepResult>, position: 'r1' }
  const decisionLog = {
    read: async ({ namespace, kinds }: RecordQuery) =>
      log.filter((one) => one.namespace === namespace && kinds?.includes(one.kind)),
    async append(draft: RecordDraft) {
      const { namespace, kind, call } = draft
      log.push({ index: log.length, id: 'r', timeMs: now, namespace, kind, call, json: JSON.stringify(draft) })
      return { id: 'r', namespace, index: 0 }
    },
  }
  const note = (_about: object, line: string): void => void lines.push(line)
  const watch = watchKeeping({ decisionLog, clock: { nowMs: () => now }, log: { error: note, info: note } as never })
  const sweeper = startSweeper({
    keeper: {
      async expire(step) {
        steps.push(step)
        return { removed: 0, more: false, held: false, ...answer(step) }
      },
      sweepErased: async () => ({ removed: 0, more: false, held: false, ...state.swept }),
    },
    recording: {
      inForce: (namespace) => ({
        namespace,
        level: 'request',
        bodyDays: 30,
        recordDays: 400,
        own: { namespace, level: null, bodyDays: null, recordDays: null },
      }),
    },
    namespaces: () => ['demo'],
    clock: { look: async () => state.time },
    readers: async () => [{ name: 'export siem', position: state.position }],
    waitDays: 7,
    watch,
    onFailure: (error) => failures.push(error),
  })
  return { sweeper, steps, failures, lines, log, watch, state }
}

it('asks for what is over its time by the time that retention counts', async () => {
  const { sweeper, steps, lines, log } = sweeping({ timeMs: now, state: 'sure', aheadMs: 0 })
  await sweeper.sweep()
  await sweeper.close()
  expect(steps.map(({ what, beforeMs }) => [what, beforeMs])).toEqual([
    ['bodies', now - 30 * day],
    ['texts', now - 400 * day],
  ])
  expect([lines, log]).toEqual([[], []])
})

it('tells of a clock that is not believed by one line, one alarm and doctor, until it is right', async () => {
  const refused = { timeMs: now, state: 'refused', aheadMs: 3650 * day } as const
  const { sweeper, steps, lines, log, watch, state, failures } = sweeping(refused)
  await sweeper.sweep()
  await sweeper.sweep()
  expect(steps.every(({ beforeMs }) => beforeMs <= now - 30 * day)).toBe(true)
  expect(steps.every(({ latestMs }) => latestMs === now)).toBe(true)
  expect(lines).toEqual([expect.stringContaining('it is not believed')])
  expect(log.map(({ namespace, kind }) => [namespace, kind])).toEqual([['platform', 'alarm']])
  expect(JSON.parse(log[0]?.json ?? '')).toMatchObject({
    event: { type: 'clock-ahead', counted: '2026-06-01T00:00:00.000Z', clock: '2036-05-29T00:00:00.000Z' },
  })
  expect(watch.problems()).toHaveLength(1)
  state.time = { timeMs: now, state: 'sure', aheadMs: 0 }
  await sweeper.sweep()
  await sweeper.close()
  expect(watch.problems()).toEqual([])
  expect(lines).toHaveLength(2)
  expect(failures).toEqual([])
})

it('writes no second record of what the log tells of already', async () => {
  const refused = { timeMs: now, state: 'refused', aheadMs: 3650 * day } as const
  const first = sweeping(refused)
  await first.sweeper.sweep()
  await first.sweeper.close()
  const again = sweeping(refused, first.log)
  await again.sweeper.sweep()
  await again.sweeper.close()
  expect(again.log).toHaveLength(1)
  expect(again.watch.problems()).toHaveLength(1)
})

const sure = { timeMs: now, state: 'sure', aheadMs: 0 } as const
const events = (log: readonly StoredRecord[]) => log.map(({ json }) => JSON.parse(json).event)

it('lets texts wait for whoever has not had them, for as many days as it is told', async () => {
  const { sweeper, steps } = sweeping(sure)
  await sweeper.sweep()
  await sweeper.close()
  const awaited = { readers: [{ name: 'export siem', position: 'r1' }], untilMs: now - 407 * day }
  expect(steps.map((step) => step.awaited)).toEqual([undefined, awaited])
})

it('counts what went unread, and tells of it once until the reader goes on', async () => {
  const unread = [{ reader: 'export siem', records: 3, since: 5 }]
  const here = sweeping(sure, [], ({ what }) => (what === 'texts' ? { removed: 4, unread } : {}))
  await here.sweeper.sweep()
  await here.sweeper.sweep()
  expect(here.sweeper.lost('export siem')).toBe(6)
  expect(here.sweeper.lost('export other')).toBe(0)
  expect(events(here.log)).toEqual([{ type: 'texts-unread', reader: 'export siem', since: 5 }])
  expect(here.watch.problems()).toMatchObject([{ detail: expect.stringContaining('"export siem" had not had them') }])
  unread.length = 0
  await here.sweeper.sweep()
  expect(here.watch.problems()).toHaveLength(1)
  here.state.position = 'r2'
  await here.sweeper.sweep()
  await here.sweeper.close()
  expect(here.watch.problems()).toEqual([])
})

it('tells once of a row at which it stops, over restarts, until it goes on', async () => {
  const state = { stopped: true }
  const stop = ({ what }: ExpiryStep) => (what === 'texts' && state.stopped ? { stoppedAt: 7 } : {})
  const first = sweeping(sure, [], stop)
  await first.sweeper.sweep()
  await first.sweeper.sweep()
  await first.sweeper.close()
  expect(events(first.log)).toEqual([{ type: 'retention-stopped', what: 'texts', position: 7 }])
  const again = sweeping(sure, first.log, stop)
  await again.sweeper.sweep()
  expect(again.log).toHaveLength(1)
  expect(again.watch.problems()).toMatchObject([{ remedy: expect.stringContaining('mcpworks audit verify') }])
  state.stopped = false
  await again.sweeper.sweep()
  await again.sweeper.close()
  expect(again.watch.problems()).toEqual([])
})

it('tells of an erasure that does not cover what it was to sweep, which the log has on record already', async () => {
  const event = { type: 'erasure-uncovered', subject: 'demo/ada', erasure: 3 }
  const recorded = { namespace: 'demo', kind: 'alarm', json: JSON.stringify({ event }) } as StoredRecord
  const { sweeper, state, watch, lines, log } = sweeping(sure, [recorded])
  state.swept = { uncovered: { namespace: 'demo', event } }
  await sweeper.sweep()
  await sweeper.close()
  expect(log).toHaveLength(1)
  expect(lines).toHaveLength(1)
  expect(watch.problems()).toHaveLength(1)
})

it('takes nothing for dated ahead that was written before the clock was set back', async () => {
  const { sweeper, steps } = sweeping({ timeMs: now - 500 * day, state: 'sure', aheadMs: -500 * day })
  await sweeper.sweep()
  expect(steps.every(({ beforeMs }) => beforeMs < now - 500 * day)).toBe(true)
  expect(new Set(steps.map(({ latestMs }) => latestMs))).toEqual(new Set([now]))
  await sweeper.close()
})
