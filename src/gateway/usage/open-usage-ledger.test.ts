import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { RecordQuery, StoredRecord } from '../../audit/index.ts'
import type { UsageFigures } from '../../policy/index.ts'
import { openUsageLedger, type KeptUsageLedger } from './open-usage-ledger.ts'
import type { UsageCounterState } from './usage-counter.ts'
import type { UsageCounterStore, UsageMark } from './usage-counter-store.ts'
import type { CountedCall, UsageKey } from './usage-ledger.ts'

const noonMs = Date.UTC(2026, 10, 21, 12)
const none: UsageFigures = { callsMinute: 0, callsDay: 0, bytesOutDay: 0, spendDay: 0, running: 0 }
const key = (principal: string, target: string): UsageKey => ({ namespace: 'demo', principal, target })

/** A place with a log, a store and clocks, on which ledgers can be opened one after the other. */
function place(maxCounters = 1000) {
  const time = { wallMs: noonMs, monotonicMs: 0 }
  const records: StoredRecord[] = []
  const counters = new Map<string, UsageCounterState>()
  const marks = new Map<string, UsageMark>()
  const finds: UsageKey[] = []
  /** How many rows are still written before the store breaks. */
  const disk = { rowsLeft: Infinity }
  const failures: unknown[] = []

  const put = <Row>(rows: Map<string, Row>, name: string, row: Row): void => {
    if (disk.rowsLeft-- <= 0) throw new Error('the disk is full')
    rows.set(name, row)
  }
  const store: UsageCounterStore = {
    load: async (fromDay, limit) => [...counters.values()].filter(({ day }) => day >= fromDay).slice(0, limit),
    async find(asked) {
      finds.push(asked)
      return [...counters.values()].filter(
        ({ principal, target }) => principal === asked.principal && (target === null || target === asked.target),
      )
    },
    marks: async () => [...marks.values()],
    async save(changed, changedMarks) {
      for (const state of changed) put(counters, JSON.stringify([state.principal, state.target]), state)
      for (const mark of changedMarks) put(marks, mark.namespace, mark)
    },
    async forgetBefore(day) {
      for (const [name, state] of counters) if (state.day < day) counters.delete(name)
    },
  }
  const log = {
    async read({ call, afterIndex, kinds, limit, descending }: RecordQuery): Promise<StoredRecord[]> {
      const asked = records.filter(
        (record) =>
          (call === undefined || record.call === call) &&
          (kinds === undefined || kinds.includes(record.kind)) &&
          (afterIndex === undefined || (descending === true ? record.index < afterIndex : record.index > afterIndex)),
      )
      return (descending === true ? asked.toReversed() : asked).slice(0, limit)
    },
  }
  const append = (kind: 'decision' | 'outcome', call: string, members: object): number => {
    const index = records.length
    records.push({
      index,
      id: String(index),
      timeMs: time.wallMs,
      namespace: 'demo',
      kind,
      call,
      json: JSON.stringify(members),
    })
    return index
  }
  const decide = ({ principal, target }: UsageKey, call: string, spend: number): number =>
    append('decision', call, {
      pre: { principal: { id: principal }, quota: { target, spend } },
      decision: { effect: 'allow' },
    })

  return {
    time,
    disk,
    finds,
    failures,
    counters,
    records,
    decide,
    end: (call: string, bytesOut: number) => append('outcome', call, { outcome: { bytes_out: bytesOut } }),
    open: async (): Promise<KeptUsageLedger> =>
      openUsageLedger({
        store,
        log,
        namespaces: ['demo'],
        clock: { nowMs: () => time.wallMs, monotonicMs: () => time.monotonicMs },
        maxCounters,
        onFailure: (error) => failures.push(error),
        periodMs: 2 ** 31 - 1,
      }),
  }
}

/** A whole call: counted, decided, ended. */
async function use(
  ledger: KeptUsageLedger,
  where: ReturnType<typeof place>,
  of: UsageKey,
  { spend = 0, bytes = 0 } = {},
): Promise<void> {
  await ledger.ready(of)
  const call = `call ${where.records.length}`
  const counted = ledger.begin(of, spend)
  counted.decided(where.decide(of, call, spend))
  counted.handedOut(bytes, where.end(call, bytes))
  counted.end()
}

describe('the ledger of use', () => {
  it('counts an agent in all and by tool, and calls under way until they end', async () => {
    const where = place()
    const ledger = await where.open()
    await use(ledger, where, key('a', 'Tool x'), { spend: 5, bytes: 7 })
    const underWay = ledger.begin(key('a', 'Tool y'), 1)
    expect(ledger.read(key('a', 'Tool x'))).toEqual({
      agent: { callsMinute: 2, callsDay: 2, bytesOutDay: 7, spendDay: 6, running: 1 },
      tool: { callsMinute: 1, callsDay: 1, bytesOutDay: 7, spendDay: 5, running: 0 },
    })
    underWay.decided(where.decide(key('a', 'Tool y'), 'y', 1))
    underWay.end()
    expect(ledger.read(key('a', 'Tool y')).agent.running).toBe(0)
    expect(ledger.read(key('b', 'Tool x')).agent.callsDay).toBe(0)
    expect(ledger.read({ ...key('a', 'Tool x'), namespace: 'other' }).agent.callsDay).toBe(0)
  })

  it('lets as many of fifty calls pass as there are left, where reading and counting are one step, and else all', async () => {
    const passed = async (between: () => Promise<void> | null) => {
      const where = place()
      const ledger = await where.open()
      const of = key('a', 'Tool x')
      const one = async (): Promise<boolean> => {
        const isAllowed = ledger.read(of).tool.callsMinute < 10
        const wait = between()
        if (wait !== null) await wait
        if (isAllowed) ledger.begin(of, 0)
        return isAllowed
      }
      return (await Promise.all(Array.from({ length: 50 }, one))).filter(Boolean).length
    }
    expect(await passed(() => null)).toBe(10)
    // The control: one turn of the event loop between the two is enough.
    expect(await passed(async () => {})).toBe(50)
  })

  it('takes back what could not be recorded, because it was not run', async () => {
    const where = place()
    const ledger = await where.open()
    ledger.begin(key('a', 'Tool x'), 9).end()
    expect(ledger.read(key('a', 'Tool x')).tool).toEqual(none)
  })

  it('goes on where it was after a start, and with what was under way not under way', async () => {
    const where = place()
    const first = await where.open()
    await use(first, where, key('a', 'Tool x'), { spend: 5, bytes: 7 })
    first.begin(key('a', 'Tool x'), 1).decided(where.decide(key('a', 'Tool x'), 'cut off', 1))
    await first.close()
    const second = await where.open()
    expect(second.read(key('a', 'Tool x')).tool).toEqual({
      callsMinute: 2,
      callsDay: 2,
      bytesOutDay: 7,
      spendDay: 6,
      running: 0,
    })
  })

  it('counts the result of a call that began before what was kept and ended after', async () => {
    const where = place()
    const first = await where.open()
    const of = key('a', 'Tool x')
    const long = first.begin(of, 0)
    long.decided(where.decide(of, 'long', 0))
    await first.flush()
    long.handedOut(11, where.end('long', 11))
    const second = await where.open()
    expect(second.read(of).tool).toMatchObject({ callsDay: 1, bytesOutDay: 11 })
  })

  it('gives nothing again to a clock that is set back, while it runs or over a start', async () => {
    const where = place()
    const ledger = await where.open()
    const of = key('a', 'Tool x')
    await use(ledger, where, of)
    where.time.wallMs -= 3 * 86_400_000
    expect(ledger.read(of).tool).toMatchObject({ callsMinute: 1, callsDay: 1 })
    await use(ledger, where, of)
    expect(ledger.read(of).tool).toMatchObject({ callsMinute: 2, callsDay: 2 })
    await ledger.flush()
    const again = await where.open()
    expect(again.read(of).tool).toMatchObject({ callsMinute: 2, callsDay: 2 })
    where.time.monotonicMs += 61_000
    expect(again.read(of).tool).toMatchObject({ callsMinute: 0, callsDay: 2 })
    where.time.monotonicMs += 86_400_000
    expect(again.read(of).tool).toMatchObject({ callsDay: 0 })
  })

  it('forgets yesterday, in memory and where it is kept', async () => {
    const where = place()
    const ledger = await where.open()
    await use(ledger, where, key('a', 'Tool x'))
    await ledger.flush()
    where.time.wallMs += 2 * 86_400_000
    await use(ledger, where, key('b', 'Tool x'))
    await ledger.flush()
    expect([...where.counters.values()].map(({ principal }) => principal)).toEqual(['b', 'b'])
    expect(ledger.read(key('a', 'Tool x')).agent).toEqual(none)
  })

  it('holds no more counters than it may, and still knows every count', async () => {
    const where = place(10)
    const ledger = await where.open()
    const keys = Array.from({ length: 100 }, (_, agent) => key(`agent ${agent}`, 'Tool x'))
    for (const [position, of] of keys.entries()) {
      await use(ledger, where, of, { bytes: position })
      if (position % 5 === 4) await ledger.flush()
    }
    for (const [position, of] of keys.entries()) {
      await ledger.ready(of)
      expect(ledger.read(of).tool).toMatchObject({ callsDay: 1, bytesOutDay: position })
    }
    expect(where.finds.length).toBeGreaterThan(50)
    // One that was never seen is looked for once, and none is looked for while all fit.
    const roomy = await where.open()
    expect(roomy.ready(key('never seen', 'Tool x'))).not.toBeNull()
    const all = await place().open()
    expect(all.ready(key('never seen', 'Tool x'))).toBeNull()
  })

  it('tells what will be used at the moments at which figures fall, the last of them tomorrow', async () => {
    const where = place()
    const ledger = await where.open()
    const of = key('a', 'Tool x')
    await use(ledger, where, of)
    where.time.wallMs += 10_000
    await use(ledger, where, of)
    const forecasts = ledger
      .forecast(of)
      .map(({ afterMs, usage }) => [afterMs, usage.tool.callsMinute, usage.tool.callsDay])
    expect(forecasts).toEqual([
      [51_000, 1, 2],
      [61_000, 0, 2],
      [43_190_000, 0, 0],
    ])
  })

  it('tells nothing where it is asked for very often, until the next second', async () => {
    const where = place()
    const ledger = await where.open()
    const of = key('a', 'Tool x')
    for (let times = 0; times < 100; times++) expect(ledger.forecast(of)).not.toEqual([])
    expect(ledger.forecast(of)).toEqual([])
    where.time.wallMs += 1000
    expect(ledger.forecast(of)).not.toEqual([])
  })

  it('knows after a kill at any moment exactly what the log holds', async () => {
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.record({ do: fc.constant('call' as const), agent: fc.nat(2), tool: fc.nat(2) }) },
      fc.record({ do: fc.constant('begin' as const), agent: fc.nat(2), tool: fc.nat(2), spend: fc.nat(9) }),
      fc.record({ do: fc.constantFrom('decide' as const, 'end' as const), which: fc.nat(5), bytes: fc.nat(99) }),
      fc.record({ do: fc.constant('flush' as const), rows: fc.option(fc.nat(6)) }),
      fc.record({ do: fc.constant('kill' as const) }),
      fc.record({ do: fc.constant('wait' as const), ms: fc.nat(20_000) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.constantFrom(4, 1000), async (steps, maxCounters) => {
        const where = place(maxCounters)
        let ledger = await where.open()
        type Open = { of: UsageKey; call: string; spend: number; counted: CountedCall; isDecided: boolean }
        let open: Open[] = []
        const truth = new Map<string, UsageFigures & { seconds: number[] }>()
        const add = ({ principal, target }: UsageKey, more: { calls: number; bytes: number; spend: number }): void => {
          for (const name of [principal, `${principal} ${target}`]) {
            const figures = truth.get(name) ?? { ...none, seconds: [] }
            truth.set(name, {
              ...figures,
              callsDay: figures.callsDay + more.calls,
              bytesOutDay: figures.bytesOutDay + more.bytes,
              spendDay: figures.spendDay + more.spend,
              seconds: [...figures.seconds, ...(more.calls === 0 ? [] : [Math.floor(where.time.wallMs / 1000)])],
            })
          }
        }
        for (const [position, one] of steps.entries()) {
          switch (one.do) {
            case 'call': {
              const of = key(`a${one.agent}`, `Tool t${one.tool}`)
              await use(ledger, where, of, { bytes: 3 })
              add(of, { calls: 1, bytes: 3, spend: 0 })
              break
            }
            case 'begin': {
              const of = key(`a${one.agent}`, `Tool t${one.tool}`)
              await ledger.ready(of)
              open.push({
                of,
                call: `c${position}`,
                spend: one.spend,
                counted: ledger.begin(of, one.spend),
                isDecided: false,
              })
              break
            }
            case 'decide': {
              const found = open.filter(({ isDecided }) => !isDecided)[one.which]
              if (found === undefined) break
              found.isDecided = true
              found.counted.decided(where.decide(found.of, found.call, found.spend))
              add(found.of, { calls: 1, bytes: 0, spend: found.spend })
              break
            }
            case 'end': {
              const found = open[one.which]
              if (found === undefined) break
              if (found.isDecided) {
                found.counted.handedOut(one.bytes, where.end(found.call, one.bytes))
                add(found.of, { calls: 0, bytes: one.bytes, spend: 0 })
              }
              found.counted.end()
              open = open.filter((other) => other !== found)
              break
            }
            case 'flush':
              where.disk.rowsLeft = one.rows ?? Infinity
              await ledger.flush()
              where.disk.rowsLeft = Infinity
              break
            case 'kill':
              open = []
              ledger = await where.open()
              break
            case 'wait':
              where.time.wallMs += one.ms
              break
          }
        }
        for (const { counted } of open) counted.end()
        const expected = (name: string) => {
          const { seconds, ...figures } = truth.get(name) ?? { ...none, seconds: [] }
          const callsMinute = seconds.filter((second) => (second + 61) * 1000 > where.time.wallMs).length
          return { ...figures, callsMinute }
        }
        for (const one of [ledger, await where.open()])
          for (const agent of ['a0', 'a1', 'a2'])
            for (const tool of ['Tool t0', 'Tool t1', 'Tool t2']) {
              const of = key(agent, tool)
              await one.ready(of)
              expect(one.read(of)).toEqual({ agent: expected(agent), tool: expected(`${agent} ${tool}`) })
            }
      }),
      { numRuns: 300 },
    )
  })
})
