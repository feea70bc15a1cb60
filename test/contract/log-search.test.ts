import { describe, expect, it } from 'vitest'
import type { DecisionDraft, OutcomeDraft, SearchField, SearchPage, SearchQuery } from '../../src/audit/index.ts'
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

/** A namespace of its own in a storage that several questions share. */
interface Here {
  readonly storage: Storage
  readonly namespace: string
}

/** Writes a call with its outcome and answers its id. */
async function write({ storage: { decisionLog }, namespace }: Here, call: Call = {}): Promise<string> {
  const draft = decided({ namespace, ...call })
  await decisionLog.append(draft)
  if (draft.decision.effect === 'deny') return draft.call
  const ended = outcomeDraft(draft)
  const outcome = { ...ended.outcome, status: call.status ?? 'ok', detail: call.detail ?? null }
  await decisionLog.append({ ...ended, outcome })
  return draft.call
}

function search({ storage, namespace }: Here, given: Partial<SearchQuery> = {}): Promise<SearchPage> {
  const none = { namespace, fields: {}, call: null, text: '', fromMs: null, toMs: null, reads: false }
  return storage.logSearch.search({ ...none, before: null, limit: 50, ...given })
}

async function callsFound(here: Here, given: Partial<SearchQuery>): Promise<string[]> {
  return (await search(here, given)).hits.map(({ call }) => call)
}

/** Finds a call by each thing that its records say, and by any of them together. */
async function byFields(here: Here): Promise<void> {
  const plain = await write(here)
  const special = await write(here, {
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
  const denied = await write(here, { agent: 'demo/other', effect: 'deny', tool: 'mail-send' })
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
    expect([field, await callsFound(here, { fields: { agent: 'demo/other', [field]: value } })]).toEqual([
      field,
      field === 'tool' ? [denied, special] : [special],
    ])
  expect(await callsFound(here, { fields: Object.fromEntries(fields) })).toEqual([special])
  expect(await callsFound(here, { fields: { ...Object.fromEntries(fields), effect: 'deny' } })).toEqual([])
  expect(await callsFound(here, { fields: { agent: 'demo/other', effect: 'deny' } })).toEqual([denied])
  expect(await callsFound(here, { call: plain })).toEqual([plain])
  expect(await callsFound(here, { call: plain, fields: { agent: 'demo/other' } })).toEqual([])
  expect(await callsFound(here, {})).toEqual([denied, special, plain])
  expect(await callsFound(here, { namespace: 'nobody' })).toEqual([])
}

/** Finds words of what stands in the clear, whole, in any case, and none of what is kept apart. */
async function byWords(here: Here): Promise<void> {
  const call = await write(here, {
    reason: 'Analysts may read Straße and the naïve leads.',
    detail: 'memory: 128 MiB',
  })
  const { decisionLog } = here.storage
  const approval = '0190f1d2-0000-7000-8000-00000000beef'
  await decisionLog.append(
    eventDraft('approval', { type: 'request-made', approval, nested: [{ why: 'too large' }] }, here.namespace),
  )
  expect(await callsFound(here, { text: 'ANALYSTS straße' })).toEqual([call])
  expect(await callsFound(here, { text: 'memory MiB naïve' })).toEqual([call])
  expect(await callsFound(here, { text: 'analyst' })).toEqual([call])
  expect(await callsFound(here, { text: 'nalysts' })).toEqual([])
  // Of the arguments and the result.
  expect(await callsFound(here, { text: 'country' })).toEqual([])
  expect(await callsFound(here, { text: 'Ada' })).toEqual([])
  const found = await search(here, { text: `large ${approval}` })
  expect(found.hits).toMatchObject([{ kind: 'approval', called: null, event: { type: 'request-made', approval } }])
}

/** Tells a name from one that looks like two fields. */
async function byLookalikes(here: Here): Promise<void> {
  const forged = await write(here, { tool: 'a&effect:4:deny' })
  await write(here, { tool: 'a', effect: 'deny' })
  expect(await callsFound(here, { fields: { tool: 'a&effect:4:deny' } })).toEqual([forged])
  expect(await callsFound(here, { fields: { tool: 'a', effect: 'allow' } })).toEqual([])
}

/** Pages from the newest to the oldest, each once, while one is added. */
async function pages(here: Here): Promise<void> {
  const calls: string[] = []
  for (let call = 0; call < 30; call++) calls.unshift(await write(here, { tool: call % 3 === 0 ? 'third' : 'x' }))
  const found: string[] = []
  let before: number | null = null
  do {
    const page = await search(here, { fields: { tool: 'third' }, before, limit: 3 })
    found.push(...page.hits.map(({ call }) => call))
    before = page.next
    if (found.length === 3) await write(here, { tool: 'third' })
  } while (before !== null)
  expect(found).toEqual(calls.filter((_, position) => (29 - position) % 3 === 0))
}

/** Shows a call with its records, leaves reads of the log out, and finds an outcome that came later. */
async function shows(here: Here): Promise<void> {
  const reading = await write(here, { method: 'audit.tail', tool: 'audit.tail' })
  const draft = decided({ namespace: here.namespace, tool: 'slow' })
  await here.storage.decisionLog.append(draft)
  const running = await search(here, { fields: { tool: 'slow' } })
  expect(running.hits).toMatchObject([{ called: { status: null }, records: [{ kind: 'decision', index: 2 }] }])
  await here.storage.decisionLog.append(outcomeDraft(draft))
  const ended = await search(here, { fields: { tool: 'slow', status: 'ok' } })
  expect(ended.hits).toMatchObject([
    { position: 2, called: { status: 'ok', durationMs: 41.5 }, records: [{ kind: 'decision' }, { kind: 'outcome' }] },
  ])
  expect(await callsFound(here, {})).toEqual([draft.call])
  expect(await callsFound(here, { reads: true })).toEqual([draft.call, reading])
  // Of this namespace, and nothing of the others that the index has.
  expect(ended.index).toEqual({ behind: 0, indexed: 4 })
}

/** Keeps namespaces apart. */
async function apart(here: Here): Promise<void> {
  const mine = await write(here)
  const theirs = await write(here, { namespace: 'other' })
  expect(await callsFound(here, {})).toEqual([mine])
  expect(await callsFound(here, { namespace: 'other' })).toEqual([theirs])
  expect(await callsFound(here, { namespace: 'other', call: mine })).toEqual([])
}

describe.each(implementations)('searching the log on $name', ({ place }) => {
  it('finds calls by each thing and each word in the clear, page by page, each namespace by itself', async () => {
    expect.hasAssertions()
    const storage = await opened(place())
    for (const [number, part] of [byFields, byWords, byLookalikes, pages, shows, apart].entries())
      await part({ storage, namespace: `part-${number}` })
  })

  it('finds by time what was decided in it, also where the clock was stepped back', async () => {
    let nowMs = 1_780_000_000_000
    const storage = await place().open({ nowMs: () => nowMs, monotonicMs: () => performance.now() })
    try {
      const at = new Map<string, number>()
      for (let call = 0; call < 200; call++) {
        nowMs += call === 100 ? -60_000 : 1000
        at.set(await write({ storage, namespace: 'demo' }), nowMs)
      }
      for (const [from, to] of [
        [1_780_000_000_000, 1_780_000_010_000],
        [1_780_000_050_000, 1_780_000_060_000],
        [1_780_000_139_000, 1_790_000_000_000],
        [0, 1],
      ] as const) {
        const expected = [...at].filter(([, ms]) => ms >= from && ms <= to).map(([call]) => call)
        const found = await callsFound({ storage, namespace: 'demo' }, { fromMs: from, toMs: to, limit: 200 })
        expect(found).toEqual(expected.toReversed())
      }
    } finally {
      await storage.close()
    }
  })

  it('goes on after a restart with what was written without it', async () => {
    const where = place()
    const first = { storage: await where.open(), namespace: 'demo' }
    const one = await write(first)
    expect(await callsFound(first, {})).toEqual([one])
    const two = await write(first)
    await first.storage.close()
    const again = { storage: await opened(where), namespace: 'demo' }
    expect(await callsFound(again, {})).toEqual([two, one])
  })
})
