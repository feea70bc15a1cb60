import { describe, expect, it } from 'vitest'
import type { DecisionDraft, OutcomeDraft, SearchField, SearchQuery } from '../../src/audit/index.ts'
import type { Storage } from '../../src/storage/index.ts'
import { decisionDraft, eventDraft, outcomeDraft } from '../support/record-drafts.ts'
import { implementations, opened } from './implementations.ts'

/** One call as a test wants it in the log. */
interface Call {
  readonly agent?: string
  readonly tool?: string
  readonly service?: string
  readonly rule?: string
  readonly reason?: string
  readonly door?: string
  readonly run?: string
  readonly parent?: string
  readonly method?: string
  readonly labels?: readonly string[]
  readonly effect?: 'allow' | 'deny'
  readonly status?: OutcomeDraft['outcome']['status']
  readonly detail?: string
  readonly namespace?: string
}

function decided(call: Call): DecisionDraft {
  const base = decisionDraft({
    effect: call.effect ?? 'allow',
    principal: call.agent ?? 'demo/analyst',
    namespace: call.namespace ?? 'demo',
  })
  const determining = base.decision.determining.map((rule) => ({
    ...rule,
    id: call.rule ?? rule.id,
    reason: call.reason ?? rule.reason,
  }))
  return {
    ...base,
    run: call.run ?? 'run-1',
    parentCall: call.parent ?? null,
    mcp: { ...base.mcp, method: call.method ?? 'tools/call' },
    pre: {
      ...base.pre,
      door: call.door ?? 'tool',
      labelsBefore: call.labels ?? [],
      target: { ...base.pre.target, tool: call.tool ?? 'leads-search', service: call.service ?? 'leads' },
    },
    decision: { ...base.decision, determining },
  }
}

/** Writes a call with its outcome and answers its id. */
async function write({ decisionLog }: Storage, call: Call = {}): Promise<string> {
  const draft = decided(call)
  await decisionLog.append(draft)
  if (draft.decision.effect === 'deny') return draft.call
  const ended = outcomeDraft(draft)
  const outcome = { ...ended.outcome, status: call.status ?? 'ok', detail: call.detail ?? null }
  await decisionLog.append({ ...ended, outcome })
  return draft.call
}

function query(given: Partial<SearchQuery> = {}): SearchQuery {
  const none = { namespace: 'demo', fields: {}, call: null, text: '', fromMs: null, toMs: null, reads: false }
  return { ...none, before: null, limit: 50, ...given }
}

async function callsFound({ logSearch }: Storage, given: Partial<SearchQuery>): Promise<string[]> {
  return (await logSearch.search(query(given))).hits.map(({ call }) => call)
}

describe.each(implementations)('searching the log on $name', ({ place }) => {
  it('finds a call by each thing that its records say, and by any of them together', async () => {
    const storage = await opened(place())
    const plain = await write(storage)
    const special = await write(storage, {
      agent: 'demo/other',
      tool: 'mail-send',
      service: 'mail',
      rule: 'mail.cedar#writers',
      door: 'code',
      run: 'run-2',
      parent: 'call-above',
      labels: ['secret'],
      status: 'tool-error',
    })
    const denied = await write(storage, { agent: 'demo/other', effect: 'deny', tool: 'mail-send' })
    const fields: [SearchField, string][] = [
      ['tool', 'mail-send'],
      ['service', 'mail'],
      ['rule', 'mail.cedar#writers'],
      ['door', 'code'],
      ['run', 'run-2'],
      ['parent', 'call-above'],
      ['label', 'secret'],
      ['status', 'tool-error'],
      ['basis', 'permit'],
      ['effect', 'allow'],
      ['kind', 'outcome'],
    ]
    for (const [field, value] of fields)
      expect([field, await callsFound(storage, { fields: { agent: 'demo/other', [field]: value } })]).toEqual([
        field,
        field === 'tool' ? [denied, special] : [special],
      ])
    expect(await callsFound(storage, { fields: Object.fromEntries(fields) })).toEqual([special])
    expect(await callsFound(storage, { fields: { ...Object.fromEntries(fields), effect: 'deny' } })).toEqual([])
    expect(await callsFound(storage, { fields: { agent: 'demo/other', effect: 'deny' } })).toEqual([denied])
    expect(await callsFound(storage, { call: plain })).toEqual([plain])
    expect(await callsFound(storage, { call: plain, fields: { agent: 'demo/other' } })).toEqual([])
    expect(await callsFound(storage, {})).toEqual([denied, special, plain])
    expect(await callsFound(storage, { namespace: 'nobody' })).toEqual([])
  })

  it('finds words of what stands in the clear, whole, in any case, and none of what is kept apart', async () => {
    const storage = await opened(place())
    const call = await write(storage, {
      reason: 'Analysts may read Straße and the naïve leads.',
      detail: 'memory: 128 MiB',
    })
    const { decisionLog } = storage
    const approval = '0190f1d2-0000-7000-8000-00000000beef'
    await decisionLog.append(eventDraft('approval', { type: 'request-made', approval, nested: [{ why: 'too large' }] }))
    expect(await callsFound(storage, { text: 'ANALYSTS straße' })).toEqual([call])
    expect(await callsFound(storage, { text: 'memory MiB naïve' })).toEqual([call])
    expect(await callsFound(storage, { text: 'analyst' })).toEqual([call])
    expect(await callsFound(storage, { text: 'nalysts' })).toEqual([])
    // Of the arguments and the result.
    expect(await callsFound(storage, { text: 'country' })).toEqual([])
    expect(await callsFound(storage, { text: 'Ada' })).toEqual([])
    const found = await storage.logSearch.search(query({ text: `large ${approval}` }))
    expect(found.hits).toMatchObject([{ kind: 'approval', called: null, event: { type: 'request-made', approval } }])
  })

  it('tells a name from one that looks like two fields', async () => {
    const storage = await opened(place())
    const forged = await write(storage, { tool: 'a&effect:4:deny' })
    await write(storage, { tool: 'a', effect: 'deny' })
    expect(await callsFound(storage, { fields: { tool: 'a&effect:4:deny' } })).toEqual([forged])
    expect(await callsFound(storage, { fields: { tool: 'a', effect: 'allow' } })).toEqual([])
  })

  it('pages from the newest to the oldest, each once, while calls are added', async () => {
    const storage = await opened(place())
    const calls: string[] = []
    for (let call = 0; call < 30; call++) calls.unshift(await write(storage, { tool: call % 3 === 0 ? 'third' : 'x' }))
    const found: string[] = []
    let before: number | null = null
    do {
      const page = await storage.logSearch.search(query({ fields: { tool: 'third' }, before, limit: 3 }))
      found.push(...page.hits.map(({ call }) => call))
      before = page.next
      await write(storage, { tool: 'third' })
    } while (before !== null)
    expect(found).toEqual(calls.filter((_, position) => (29 - position) % 3 === 0))
  })

  it('finds by time what was decided in it, also where the clock was stepped back', async () => {
    let nowMs = 1_780_000_000_000
    const storage = await place().open({ nowMs: () => nowMs, monotonicMs: () => performance.now() })
    try {
      const at = new Map<string, number>()
      for (let call = 0; call < 200; call++) {
        nowMs += call === 100 ? -60_000 : 1000
        at.set(await write(storage), nowMs)
      }
      for (const [from, to] of [
        [1_780_000_000_000, 1_780_000_010_000],
        [1_780_000_050_000, 1_780_000_060_000],
        [1_780_000_139_000, 1_790_000_000_000],
        [0, 1],
      ] as const) {
        const expected = [...at].filter(([, ms]) => ms >= from && ms <= to).map(([call]) => call)
        const found = await callsFound(storage, { fromMs: from, toMs: to, limit: 200 })
        expect(found).toEqual(expected.toReversed())
      }
    } finally {
      await storage.close()
    }
  })

  it('shows a call with its records, leaves reads of the log out, and finds an outcome that came later', async () => {
    const storage = await opened(place())
    const reading = await write(storage, { method: 'audit.tail', tool: 'audit.tail' })
    const draft = decided({ tool: 'slow' })
    await storage.decisionLog.append(draft)
    const running = await storage.logSearch.search(query({ fields: { tool: 'slow' } }))
    expect(running.hits).toMatchObject([{ called: { status: null }, records: [{ kind: 'decision', index: 2 }] }])
    await storage.decisionLog.append(outcomeDraft(draft))
    const ended = await storage.logSearch.search(query({ fields: { tool: 'slow', status: 'ok' } }))
    expect(ended.hits).toMatchObject([
      { position: 2, called: { status: 'ok', durationMs: 41.5 }, records: [{ kind: 'decision' }, { kind: 'outcome' }] },
    ])
    expect(await callsFound(storage, {})).toEqual([draft.call])
    expect(await callsFound(storage, { reads: true })).toEqual([draft.call, reading])
    expect(ended.index).toEqual({ behind: 0, indexed: 4 })
  })

  it('keeps namespaces apart', async () => {
    const storage = await opened(place())
    const here = await write(storage)
    const there = await write(storage, { namespace: 'other' })
    expect(await callsFound(storage, {})).toEqual([here])
    expect(await callsFound(storage, { namespace: 'other' })).toEqual([there])
    expect(await callsFound(storage, { namespace: 'other', call: here })).toEqual([])
  })

  it('goes on after a restart with what was written without it', async () => {
    const where = place()
    const first = await where.open()
    const one = await write(first)
    expect(await callsFound(first, {})).toEqual([one])
    const two = await write(first)
    await first.close()
    expect(await callsFound(await opened(where), {})).toEqual([two, one])
  })
})
