import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decisionCasesSchema, type DecisionCases } from '../../src/app/stock/decision-cases.ts'
import { judgeCases, type JudgedCase } from '../../src/app/stock/judge-cases.ts'
import { createReplays } from '../../src/app/replay/run-replay.ts'
import { replayDecisions, type ReplayedTool } from '../../src/app/replay/replay-decisions.ts'
import { systemClock, type JsonObject } from '../../src/kernel/index.ts'
import { createCedarPolicyEngine, type PolicyEngine, type PolicySource } from '../../src/policy/index.ts'
import { openDecisionReader } from '../../src/storage/index.ts'
import { decideAsOperator, noticeOf } from '../support/approvals.ts'
import { textOutcome, toolEntry } from '../support/echo-entries.ts'
import { startTestApp, type TestApp } from '../support/running-app.ts'

const schemas: Record<string, JsonObject> = {
  send: {
    type: 'object',
    properties: { to: { type: 'array', items: { type: 'string' } }, text: { type: 'string' } },
    required: ['to'],
  },
  pay: {
    type: 'object',
    properties: { amount: { type: 'number' }, share: { type: 'number' }, to: { type: 'string' } },
    required: ['amount'],
  },
}
const entries = ['send', 'pay'].map((name) => toolEntry(name, () => textOutcome('done'), 'demo', schemas[name]))

const namespaceFile = `namespace: demo
agents:
  - { name: clerk, groups: [clerks] }
  - { name: robot, groups: [clerks, robots] }
  - { name: guest, groups: [] }
`
const permit = 'permit (principal in AgentGroup::"demo/clerks", action == Action::"call", resource);'

/** Sets that read arguments, facts, use, time, approval, groups and how callers were authenticated. */
const sets: readonly Record<string, string>[] = [
  {
    'policies/a.cedar': `${permit}
@id("much") @reason("Too much.") forbid (principal, action == Action::"call", resource == Tool::"demo/pay") when { context.args.amount.greaterThan(decimal("50.0")) };
@id("share") forbid (principal, action == Action::"call", resource == Tool::"demo/pay") when { context.args has share && context.args.share.lessThan(decimal("0.5")) };
@id("night") forbid (principal, action == Action::"call", resource) when { context.hour < 6 };
@id("redact") @obligation("limit-rows 5") permit (principal in AgentGroup::"demo/robots", action == Action::"call", resource == Tool::"demo/send");`,
  },
  {
    'policies/a.cedar': `${permit}
@id("busy") forbid (principal in AgentGroup::"demo/robots", action == Action::"call", resource) when { context.usage.tool.calls_day > 2 };
@id("approval") @remedy("approval") forbid (principal, action == Action::"call", resource == Tool::"demo/pay") when { context.args.amount.greaterThan(decimal("30.0")) } unless { context.approved };
@id("outside") forbid (principal, action == Action::"call", resource == Tool::"demo/send") unless { context.facts.recipients.domains == ["example.com"] };`,
    'policies/facts.yaml':
      'facts:\n  send:\n    recipients: { extract: email-recipients, from: to }\n    size: { extract: count, of: bytes, from: text }\n',
  },
  { 'policies/team.rules.yaml': 'rules:\n  - { id: monday, allow: anyone, tools: any tool, when: weekday == 1 }\n' },
]

const address = fc.constantFrom(
  'ann@example.com',
  'Bob <bob@example.com>',
  'x@other.example',
  'no address',
  '"a@b"@c.d',
)
const call: fc.Arbitrary<readonly [string, JsonObject]> = fc.oneof(
  fc.tuple(
    fc.constant('send'),
    fc.record(
      { to: fc.array(address, { maxLength: 3 }), text: fc.string({ maxLength: 20 }) },
      { requiredKeys: ['to'] },
    ),
  ),
  fc.tuple(
    fc.constant('pay'),
    fc.record(
      {
        amount: fc.constantFrom(1, 31.5, 49.99, 50.00001, 80, 1e17),
        share: fc.double({ min: 0, max: 1, noNaN: true }),
      },
      { requiredKeys: ['amount'] },
    ),
  ),
)

const hashes: string[] = []
let nowMs = Date.UTC(2026, 2, 1)
let test: TestApp
beforeAll(async () => {
  const clock = { nowMs: () => nowMs, monotonicMs: () => systemClock.monotonicMs() }
  test = await startTestApp({ entries, clock })
  const agents = ['clerk', 'robot', 'guest']
  let keys: string[] = []
  for (const [round, files] of [...sets, ...sets].entries()) {
    const { policySetHash } = await test.apply('demo', { 'namespace.yaml': namespaceFile, ...files })
    hashes.push(String(policySetHash))
    if (keys.length === 0) keys = await Promise.all(agents.map((agent) => test.key('demo', agent)))
    for (const [position, [tool, args]] of fc.sample(call, { numRuns: 36, seed: round }).entries()) {
      nowMs += 37 * 60_000
      const { message } = await test.call(keys[position % 3] ?? '', 'demo', tool, args)
      const notice = noticeOf(message)
      if (notice?.status !== 'pending') continue
      await decideAsOperator(test, 'approval.approve', { namespace: 'demo', approval: notice.id })
      await test.call(keys[position % 3] ?? '', 'demo', tool, args)
    }
  }
})
afterAll(() => test.close())

function replay(policySet: string): Promise<JsonObject> {
  return test.manage('demo', 'audit.replay', { namespace: 'demo', policySet, sinceSeconds: 366 * 86_400 })
}

describe('recorded decisions', () => {
  it.each([0, 1, 2])('come out as they did under the policies that made them (set %i)', async (position) => {
    const report = await replay(hashes[position] ?? '')
    expect(report).toMatchObject({ mismatches: { count: 0, groups: [] }, complete: true })
    expect(report.sameQuestion).toBeGreaterThan(30)
    expect((report.notReplayed as JsonObject[]).filter(({ why }) => why !== 'hidden')).toEqual([])
  })

  it('were of many kinds, so that this shows something', async () => {
    const { records } = await test.manage('demo', 'audit.tail', { namespace: 'demo', kind: 'decision', limit: 1000 })
    const text = JSON.stringify(records)
    const seen = ['a.cedar#much', 'a.cedar#share', 'a.cedar#night', 'a.cedar#busy', 'a.cedar#approval', 'limit-rows 5']
    expect(seen.filter((rule) => !text.includes(rule))).toEqual([])
    expect(text).toContain('more than four digits after the point')
    expect(text).toMatch(/"approval":\{"at":"2026/)
    expect(text).toContain('"extractor_hash"')
  })

  it('that come out otherwise, though nothing changed, are told as mismatches and not as differences', async () => {
    const { files } = await test.manage('demo', 'policy.show', { namespace: 'demo', policySet: hashes[0] ?? '' })
    const sources = (files as JsonObject[]).map(({ path, text }) => ({ file: String(path), text: String(text) }))
    const honest = await replayWith(installed(sources))
    expect(honest.mismatches.count).toBe(0)
    const engine = installed(sources)
    const lying: PolicyEngine = Object.assign(Object.create(engine) as PolicyEngine, {
      decide: (request: Parameters<PolicyEngine['decide']>[0]) => {
        const decided = engine.decide(request)
        return decided.basis === 'forbid' ? { ...decided, effect: 'allow', basis: 'permit' } : decided
      },
    })
    const { mismatches, newlyAllowed } = await replayWith(lying)
    expect(mismatches.count).toBeGreaterThan(3)
    expect(mismatches.groups.map(({ before }) => before.basis)).toContain('forbid')
    // What another set decided is no mismatch, whatever comes out.
    expect(newlyAllowed.count).toBeGreaterThan(0)
  })
})

describe('stock Cedar, in a process of its own', () => {
  it('decides every recorded decision as the log has it', async () => {
    const judged = await judgeAll()
    const different = judged.filter(({ verdict }) => verdict === 'different')
    expect(different).toEqual([])
    const counts = Map.groupBy(judged, ({ verdict }) => verdict)
    expect(counts.get('same')?.length).toBeGreaterThan(150)
    const refused = new Set(counts.get('refused-before-cedar')?.map(({ sentences }) => sentences[0]))
    const missing = new Set(counts.get('cannot')?.map(({ sentences }) => sentences[0]))
    expect([...refused]).toEqual([])
    for (const sentence of missing) expect(sentence).toMatch(/could not be judged|there is no such thing/)
    const bases = new Set(counts.get('same')?.map(({ recorded }) => recorded?.basis))
    expect(bases).toEqual(new Set(['permit', 'forbid', 'default-deny']))
  })

  it('tells of a record, an input, policies and entities that are not those of the decision', async () => {
    const { records } = await test.manage('demo', 'audit.tail', { namespace: 'demo', kind: 'decision', limit: 1000 })
    const decided = (records as JsonObject[]).find((record) => JSON.stringify(record).includes('a.cedar#much'))
    const call = String(decided?.call)
    const one = async (change: (cases: DecisionCases) => void) => {
      const cases = decisionCasesSchema.parse(await test.manage('demo', 'audit.cases', { namespace: 'demo', call }))
      change(cases)
      return (await judgeCases(cases))[0]
    }
    const onlyCase = (cases: DecisionCases) => cases.cases[0] ?? expect.fail('there is no decision')
    const rewrite = (from: string, to: string) => (cases: DecisionCases) => {
      const changed = onlyCase(cases).record.replace(from, to)
      expect(changed).not.toBe(onlyCase(cases).record)
      onlyCase(cases).record = changed
    }
    expect(await one(() => {})).toMatchObject({ verdict: 'same', stock: { basis: 'forbid' } })
    const allowed = await one(rewrite('"effect":"deny"', '"effect":"allow"'))
    expect(allowed).toMatchObject({ verdict: 'different', sentences: [expect.stringContaining('the log says allow')] })
    const excused = await one(rewrite('"a.cedar#much"', '"a.cedar#share"'))
    expect(excused?.verdict).toBe('different')
    const input = await one((cases) => {
      const { engineInput } = onlyCase(cases)
      if (engineInput !== null) engineInput.text = engineInput.text.replace('"approved":false', '"approved":true')
    })
    expect(input).toMatchObject({ verdict: 'different', sentences: [expect.stringContaining("the engine's input")] })
    const policies = await one((cases) => {
      for (const source of cases.policySets[0]?.sources ?? []) source.text = source.text.replace('50.0', '99.0')
    })
    expect(policies).toMatchObject({ verdict: 'different' })
    expect(policies?.sentences).toEqual(expect.arrayContaining([expect.stringContaining('the policies')]))
    const schema = await one((cases) => {
      const [tool] = cases.tools
      if (tool !== undefined) tool.inputSchema = { type: 'object', properties: { amount: { type: 'string' } } }
    })
    expect(schema?.sentences).toEqual(expect.arrayContaining([expect.stringContaining('the schema')]))
    const struck = await one((cases) => {
      rewrite('"request_hash"', '"request_redactions":1,"request_hash"')(cases)
      rewrite('"effect":"deny"', '"effect":"allow"')(cases)
    })
    expect(struck).toMatchObject({ verdict: 'cannot', sentences: [expect.stringContaining('struck out')] })
    expect(await one((cases) => (onlyCase(cases).record = ''))).toMatchObject({ verdict: 'cannot' })
    expect(await one((cases) => (cases.policySets.length = 0))).toMatchObject({ verdict: 'cannot' })
    expect(await one((cases) => (onlyCase(cases).engineInput = null))).toMatchObject({ verdict: 'cannot' })
    expect(await one((cases) => (cases.tools.length = 0))).toMatchObject({
      verdict: 'same',
      notes: [expect.stringContaining('not validated')],
    })
  })
})

describe('a replay', () => {
  it('looks at the newest decisions since a time, at no more than it is asked to, and says when there are more', async () => {
    const engine = installed([])
    const all = await replayWith(engine)
    expect([all.complete, all.decisions > 200]).toEqual([true, true])
    expect(await replayWith(engine, { maxDecisions: 150 })).toMatchObject({ complete: false, decisions: 150 })
    expect(await replayWith(engine, { maxDecisions: all.decisions })).toMatchObject({ complete: true })
    const recent = await replayWith(engine, { sinceMs: nowMs - 86_400_000 })
    expect([recent.complete, recent.decisions > 30, recent.decisions < 150]).toEqual([true, true, true])
  })

  it('ends after the page that it is at when whoever asked is gone, and has the place for itself until then', async () => {
    const replays = createReplays()
    const job = {
      dataDirectory: test.dataDirectory,
      masterKey: null,
      namespace: 'demo',
      sources: [],
      vocabulary: { namespace: 'demo', tools: [] },
      onMisfit: 'refuse' as const,
      definitions: [],
      sinceMs: 0,
      maxDecisions: 10_000,
    }
    const gone = replays.run(job, AbortSignal.abort())
    await expect(replays.run(job, new AbortController().signal)).rejects.toThrow('A replay is running already')
    expect(await gone).toMatchObject({ kind: 'done', report: { complete: false, decisions: 100 } })
    const whole = await replays.run(job, new AbortController().signal)
    expect(whole).toMatchObject({ kind: 'done', report: { complete: true } })
    const nowhere = { ...job, dataDirectory: join(test.dataDirectory, 'nowhere') }
    await expect(replays.run(nowhere, new AbortController().signal)).rejects.toMatchObject({
      code: 'storage_unavailable',
    })
    // The thread breaks over a job that is none: the server does not, and the place is free again.
    const broken = { ...job, sources: null as never }
    await expect(replays.run(broken, new AbortController().signal)).rejects.toMatchObject({ code: 'internal' })
    expect(await replays.run(job, AbortSignal.abort())).toMatchObject({ kind: 'done' })
    await replays.close()
  })
})

function installed(sources: readonly PolicySource[]): PolicyEngine {
  const engine = createCedarPolicyEngine()
  const tools = Object.entries(schemas).map(([name, inputSchema]) => ({ name, service: name, inputSchema }))
  expect(engine.install(sources, { namespace: 'demo', tools })).toMatchObject({ ok: true })
  return engine
}

async function casesOf(before: number | null): Promise<DecisionCases> {
  const place = before === null ? {} : { before }
  return decisionCasesSchema.parse(await test.manage('demo', 'audit.cases', { namespace: 'demo', limit: 50, ...place }))
}

async function judgeAll(): Promise<JudgedCase[]> {
  const judged: JudgedCase[] = []
  for (let before: number | null = null; ;) {
    const page = await casesOf(before)
    judged.push(...(await judgeCases(page)))
    if (page.before === null) return judged
    before = page.before
  }
}

async function replayWith(engine: PolicyEngine, bounds: { sinceMs?: number; maxDecisions?: number } = {}) {
  const reader = openDecisionReader({ dataDirectory: test.dataDirectory, masterKey: null })
  const tools = new Map<string, ReplayedTool>(
    entries.map(({ name, service, definitionHash, inputSchema }) => [
      name,
      { service, definitionHash, inputSchema: inputSchema ?? {} },
    ]),
  )
  const scope = { namespace: 'demo', sinceMs: 0, maxDecisions: 10_000, tools, ...bounds }
  try {
    return await replayDecisions(engine, reader, scope, () => Promise.resolve(true))
  } finally {
    await reader.close()
  }
}
