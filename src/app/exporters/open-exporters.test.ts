import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { partialAnswer, readTraceRequest } from '../../../test/support/otlp-messages.ts'
import type { RecordQuery, StoredRecord } from '../../audit/index.ts'
import type { FetchOutcome, GuardedFetch } from '../../egress/index.ts'
import type { ExportersConfig } from '../../exporters/index.ts'
import { configSchema } from '../../config/index.ts'
import type { JsonObject } from '../../kernel/index.ts'
import { openExporters, type Exporters } from './open-exporters.ts'

const secret = 'a canary secret of more than thirty-two characters'
const config = (receiver: object, secrets: object = {}): ExportersConfig =>
  configSchema.parse({
    dataDirectory: '/nowhere',
    exporters: { secrets, receivers: [{ name: 'r1', from: 'beginning', ...receiver }] },
  }).exporters
const webhook = config({ type: 'webhook', url: 'https://siem.example/hook' }, { r1: secret })
const collector = config({ type: 'otlp', url: 'https://otel.example/v1/traces' }, { r1: 'Bearer canary' })

/** A refused call, which is a span and an event by itself. */
function refused(index: number): StoredRecord {
  const call = `c${index}`
  const record = {
    kind: 'decision',
    id: `r${index}`,
    call,
    namespace: 'demo',
    run: 'run',
    time: '2026-01-02T03:04:05.000Z',
    mcp: { method: 'tools/call' },
    pre: { door: 'tool', principal: { id: 'demo/ann' }, target: { tool: 'pay' } },
    decision: { effect: 'deny', basis: 'default-deny', determining: [], duration_us: 1 },
  }
  return {
    index,
    id: `r${index}`,
    timeMs: Date.parse(record.time),
    namespace: 'demo',
    kind: 'decision',
    call,
    json: JSON.stringify(record),
  }
}

const answered = (
  status: number,
  headers: Record<string, string> = {},
  body: Uint8Array = new Uint8Array(),
): FetchOutcome => ({
  ok: true,
  status,
  headers,
  body,
})

/** Exporters over a log in memory, whose receiver answers one after the other what it is told, and then takes everything. */
async function exporting(some: ExportersConfig, count: number, ...answers: FetchOutcome[]) {
  return await resuming(new Map(), some, count, ...answers)
}

/** The same, where positions were kept before. A position that is `lost` cannot be kept. */
async function resuming(kept: Map<string, string>, some: ExportersConfig, count: number, ...answers: FetchOutcome[]) {
  const records = Array.from({ length: count }, (_, at) => refused(at))
  const sent: { id: string; ids: string[]; atMs: number; isTaken: boolean }[] = []
  const lines: string[] = []
  const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) })
  const fetch: GuardedFetch = async (_url, { headers = {}, body = '' }) => {
    const outcome = answers.shift() ?? answered(200)
    const ids =
      typeof body === 'string'
        ? (JSON.parse(body) as JsonObject[]).map(({ id }) => String(id))
        : readTraceRequest(body).spans.flatMap(({ name, attributes }) =>
            name === 'policy.decide' ? [String(attributes['mcpworks.record.id'])] : [],
          )
    const isTaken = outcome.ok && outcome.status < 300
    sent.push({ id: headers['webhook-id'] ?? '', ids, atMs: Date.now(), isTaken })
    return outcome
  }
  const exporters = await openExporters({
    config: some,
    records: {
      async read({ afterId, descending, limit }: RecordQuery): Promise<StoredRecord[]> {
        if (descending === true) return records.slice(-1)
        if (afterId !== undefined && !records.some(({ id }) => id === afterId)) return []
        const from = records.findIndex(({ id }) => id === afterId) + 1
        return records.slice(from, from + limit)
      },
    },
    positions: {
      find: async (reader) => kept.get(reader) ?? null,
      async keep(reader, id) {
        if (kept.get('lost') === id) throw new Error('the disk is full')
        kept.set(reader, id)
      },
    },
    fetch,
    stream: async () => ({ ok: false, reason: 'unreachable' }),
    clock: { nowMs: () => Date.now(), monotonicMs: () => Date.now() },
    log,
    version: '1.2.3',
  })
  return { exporters, sent, lines, records }
}

const stateOf = (exporters: Exporters) => exporters.states()[0]
const allIds = (count: number): string[] => Array.from({ length: count }, (_, at) => `r${at}`)

describe('an exporter whose receiver', () => {
  beforeEach(() => void vi.useFakeTimers({ now: Date.parse('2026-01-02T03:05:00Z') }))
  afterEach(() => void vi.useRealTimers())

  it('is dead for an hour is sent everything then, once and in order', async () => {
    const dead = Array.from({ length: 50 }, (): FetchOutcome => ({ ok: false, reason: 'unreachable' }))
    const here = await exporting(webhook, 250, ...dead)
    await vi.advanceTimersByTimeAsync(40 * 60_000)
    expect(stateOf(here.exporters)).toMatchObject({ failing: 'unreachable', taken: 0, position: '' })
    expect(stateOf(here.exporters)?.waitingSinceMs).toBe(here.records[0]?.timeMs)
    await vi.advanceTimersByTimeAsync(20 * 60_000)
    expect(here.sent.filter(({ isTaken }) => isTaken).flatMap(({ ids }) => ids)).toEqual(allIds(250))
    expect(stateOf(here.exporters)).toMatchObject({ failing: null, taken: 250, refusals: 50, waitingSinceMs: null })
    await here.exporters.close()
  })

  it('asks to be left alone is left alone for as long', async () => {
    const busy = answered(429, { 'retry-after': '45' })
    const here = await exporting(collector, 3, busy)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(here.sent.map(({ isTaken }) => isTaken)).toEqual([false, true])
    expect((here.sent[1]?.atMs ?? 0) - (here.sent[0]?.atMs ?? 0)).toBe(45_000)
    await here.exporters.close()
  })

  it('says that it keeps only a part is not sent it again, and that is told', async () => {
    const partial = answered(200, { 'content-type': 'application/x-protobuf' }, partialAnswer(2, 'too old'))
    const here = await exporting(collector, 3, partial)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(here.sent).toHaveLength(1)
    expect(stateOf(here.exporters)).toMatchObject({ rejected: 2, taken: 3, failing: null })
    expect(here.lines.join('')).toContain('too old')
    await here.exporters.close()
  })

  it('calls spans wrong is sent smaller parts, until what it will never take is left out', async () => {
    const here = await exporting(collector, 4, answered(400), answered(400))
    await vi.advanceTimersByTimeAsync(0)
    expect(here.sent.map(({ ids }) => ids)).toEqual([allIds(4), ['r0', 'r1'], ['r0'], ['r1'], ['r2', 'r3']])
    expect(stateOf(here.exporters)).toMatchObject({ dropped: 0, position: 'r3' })
    await here.exporters.close()
    const poisoned = await exporting(collector, 2, answered(400), answered(400))
    await vi.advanceTimersByTimeAsync(0)
    expect(poisoned.sent.map(({ ids }) => ids)).toEqual([['r0', 'r1'], ['r0'], ['r1']])
    expect(stateOf(poisoned.exporters)).toMatchObject({ dropped: 1, position: 'r1' })
    expect(poisoned.lines.join('')).toMatch(/"record":"r0"/)
    await poisoned.exporters.close()
  })

  it.each([401, 403, 404, 500, 503])('answers %i is tried again, and nothing is left out', async (status) => {
    const here = await exporting(collector, 3, answered(status), answered(status))
    await vi.advanceTimersByTimeAsync(10_000)
    expect(here.sent.map(({ ids, isTaken }) => [ids, isTaken])).toEqual([
      [allIds(3), false],
      [allIds(3), false],
      [allIds(3), true],
    ])
    expect(stateOf(here.exporters)).toMatchObject({ dropped: 0, taken: 3 })
    await here.exporters.close()
  })

  it('lies in every other way is not believed', async () => {
    const lies: FetchOutcome[] = [
      { ok: false, reason: 'redirect-refused' },
      { ok: false, reason: 'too-large' },
      { ok: false, reason: 'encoding-refused' },
      { ok: false, reason: 'malformed' },
      { ok: false, reason: 'timeout' },
      answered(400),
    ]
    const here = await exporting(webhook, 3, ...lies)
    await vi.advanceTimersByTimeAsync(10 * 60_000)
    expect(here.sent.map(({ isTaken }) => isTaken)).toEqual([...lies.map(() => false), true])
    expect(new Set(here.sent.map(({ id }) => id)).size).toBe(1)
    expect(stateOf(here.exporters)).toMatchObject({ dropped: 0, rejected: 0, taken: 3 })
    await here.exporters.close()
  })

  it('took what could not be noted is sent the same message again after a restart, by which it knows it', async () => {
    const kept = new Map([['lost', 'r2']])
    const here = await resuming(kept, webhook, 3)
    await vi.advanceTimersByTimeAsync(10_000)
    await here.exporters.close()
    expect(here.sent.map(({ ids }) => ids)).toEqual([allIds(3)])
    kept.delete('lost')
    const again = await resuming(kept, webhook, 3)
    await vi.advanceTimersByTimeAsync(10_000)
    await again.exporters.close()
    expect(again.sent).toMatchObject([{ id: here.sent[0]?.id, ids: allIds(3) }])
    const after = await resuming(kept, webhook, 3)
    await vi.advanceTimersByTimeAsync(10_000)
    await after.exporters.close()
    expect(after.sent).toEqual([])
  })

  it('had records that the log does not have is sent nothing, and that is told', async () => {
    const here = await resuming(new Map([['export r1', 'r77']]), webhook, 3)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(here.sent).toEqual([])
    expect(stateOf(here.exporters)?.failing).toMatch(/^its position is not in the log/)
    expect(here.lines.join('')).toMatch(/its position is not in the log/)
    await here.exporters.close()
  })

  it('refuses is told of once in the log, without the secret', async () => {
    const here = await exporting(webhook, 3, ...Array.from({ length: 5 }, () => answered(503)))
    await vi.advanceTimersByTimeAsync(10 * 60_000)
    const told = here.lines.map((line) => JSON.parse(line) as JsonObject)
    expect(told.map(({ exporter, why }) => [exporter, why])).toEqual([
      ['r1', 'status 503'],
      ['r1', undefined],
    ])
    expect(here.lines.join('')).not.toMatch(/canary/)
    await here.exporters.close()
  })
})
