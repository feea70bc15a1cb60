import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { findDecisionCases } from '../../src/app/stock/find-decision-cases.ts'
import { explainCallFrom } from '../../src/app/explain-call.ts'
import { auditEventHandlers } from '../../src/app/management/audit-event-handlers.ts'
import { auditHandlers } from '../../src/app/management/audit-handlers.ts'
import { whyNotHandler } from '../../src/app/management/why-not-handler.ts'
import type { RefusalPorts } from '../../src/app/why-not/explain-refusal.ts'
import { openStorage } from '../../src/storage/index.ts'
import { decisionDraft, outcomeDraft, type DraftChoices } from '../support/record-drafts.ts'
import { recordValidator } from '../support/record-validator.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const day = 86_400_000
const start = Date.UTC(2026, 0, 10)
const namespace = 'demo'
const given = 'canary-of-arguments'
const said = 'canary-of-results'

const noTools = { resolve: () => null }

/** A log whose clock the test moves, and what people read it with. */
async function readLog() {
  const now = { ms: start }
  const clock = { nowMs: () => now.ms, monotonicMs: () => now.ms }
  const storage = await openStorage({ dataDirectory: join(temporaryDirectory(), 'data'), clock })
  onTestFinished(() => storage.close())
  const { decisionLog, keeper } = storage
  const handlers = {
    ...auditHandlers(decisionLog, clock, explainCallFrom(decisionLog), storage),
    ...auditEventHandlers({ decisionLog, clock, version: '0.0.0' }),
    // Of what is gone nothing else is asked.
    ...whyNotHandler({ decisionLog } as unknown as RefusalPorts),
  }
  const invocation = {} as Parameters<(typeof handlers)['audit.why']>[1]
  const { signal } = new AbortController()
  const call = async (choices: DraftChoices = {}) => {
    const decision = decisionDraft({ principal: 'demo/ada', input: JSON.stringify({ given }), ...choices })
    await decisionLog.append(decision)
    if (decision.decision.effect === 'deny') return decision.call
    await decisionLog.append(
      outcomeDraft(decision, { principal: 'demo/ada', output: JSON.stringify({ said }), ...choices }),
    )
    return decision.call
  }
  const expire = async (what: 'bodies' | 'texts') => {
    now.ms += 2 * day
    // Only what is under a signature expires.
    await decisionLog.append(decisionDraft({ effect: 'deny', input: null }))
    const [last] = await decisionLog.read({ namespace, kinds: ['decision'], descending: true, limit: 1 })
    await expect.poll(async () => (await decisionLog.prove(last?.id ?? ''))?.checkpoint).toBeTruthy()
    return keeper.expire({ namespace, what, beforeMs: start + day, days: 1 })
  }
  return {
    storage,
    keeper,
    now,
    call,
    expire,
    why: async (of: string) => {
      return (await handlers['audit.why']({ namespace, call: of }, invocation, signal)) as {
        text: string
        gone?: string
      }
    },
    prove: (of: string) => handlers['audit.prove']({ namespace, call: of }, invocation, signal),
    cases: async (of: string) => {
      const ports = { decisionLog, policyStore: storage.policies, functionStore: storage.functions }
      const [found] = (await findDecisionCases(namespace, { call: of }, { ...ports, catalogue: noTools })).cases
      return found?.gone
    },
    whyNot: async (of: string) => {
      return (await handlers['audit.why-not']({ namespace, call: of }, invocation, signal)) as { text: string }
    },
    tail: async () => {
      const input = { namespace, limit: 50, reads: false, waitSeconds: 0 }
      const { records } = await handlers['audit.tail'](input, invocation, signal)
      return records as { index: number; summary: string; record: object }[]
    },
    events: async (format: 'record' | 'ocsf' | 'cloudevents') => {
      const input = { namespace, format, after: -1, limit: 50, waitSeconds: 0 }
      return (await handlers['audit.events'](input, invocation, signal)).events as object[]
    },
  }
}

const byRetention = (record: number) =>
  `was deleted because its time was over (retention) on 2026-01-12T00:00:00.000Z, as record ${record} says`

describe('what is gone is said plainly', () => {
  it('by "why" of a call that is whole, which shows it and says nothing of that', async () => {
    const { why, call } = await readLog()
    const { text } = await why(await call())
    expect(text).toContain(given)
    expect(text).toContain(said)
    expect(text).not.toMatch(/were never kept|(?:was|were) (?:erased|deleted)|secrets were taken/)
  })

  it('by "why" of bodies whose time was over, with the date and the record', async () => {
    const { why, call, expire } = await readLog()
    const old = await call()
    expect(await expire('bodies')).toMatchObject({ removed: 2 })
    const { text } = await why(old)
    const were = byRetention(3).replace('was', 'were').replace('its', 'their')
    expect(text).toContain(`arguments ${were}`)
    expect(text).toContain(`the result ${byRetention(3)}`)
    expect(text).not.toContain('canary')
    expect((await why(await call())).text).toContain(given)
  })

  it('by "why" of bodies that were erased, and not of those of others', async () => {
    const { why, call, keeper } = await readLog()
    const [hers, his] = [await call(), await call({ principal: 'demo/bob' })]
    await keeper.erase({ subject: 'demo/ada', by: 'operator', call: 'c' })
    const { text } = await why(hers)
    expect(text).toContain('arguments were erased on 2026-01-10T00:00:00.000Z, as record 4 says')
    expect(text).toContain('the result was erased on 2026-01-10T00:00:00.000Z, as record 4 says')
    expect((await why(his)).text).toContain(given)
  })

  it('by "why" of bodies that were never kept, with the level, and of secrets that were taken out', async () => {
    const { why, call, storage } = await readLog()
    const { text } = await why(await call({ input: null, output: null }))
    expect(text).toContain('arguments were never kept (level metadata)')
    expect(text).toContain('the result was never kept (level metadata)')
    const decision = decisionDraft()
    const bodies = { ...decision.bodies, input: { json: '{"key":"[redacted]"}', redactions: 2 } }
    await storage.decisionLog.append({ ...decision, bodies })
    expect((await why(decision.call)).text).toContain('{"key":"[redacted]"} (secrets were taken out in 2 places)')
  })

  it('by "why" and "why not" of a call whose text is gone, and not as a call that never was', async () => {
    const { why, whyNot, call, expire } = await readLog()
    const [old, refused] = [await call(), await call({ effect: 'deny' })]
    expect(await expire('texts')).toMatchObject({ removed: 3 })
    const { text, gone } = await why(old)
    expect(gone).toBe(`the text of the decision ${byRetention(4)}`)
    expect(text).toContain('decision at position 0, outcome at position 1')
    expect((await whyNot(refused)).text).toBe(`NOT TOLD: the text of the decision ${byRetention(4)}\n`)
    for (const ask of [why, whyNot])
      await expect(ask('00000000-0000-7000-8000-000000000000')).rejects.toThrow('no record')
  })

  it('by "audit prove" and "audit replay", which can do nothing without it', async () => {
    const { prove, cases, call, expire } = await readLog()
    const old = await call()
    await expire('bodies')
    expect(await cases(old)).toBe(`The input of the engine ${byRetention(3)}.`)
    expect(await prove(old)).toMatchObject({ call: old })
    const { removed } = await expire('texts')
    expect(removed).toBeGreaterThan(1)
    await expect(prove(old)).rejects.toThrow(/^The text of the decision of call .* was deleted .* as record \d+ says\./)
    expect(await cases(old)).toMatch(/^The text of the record was deleted .* as record \d+ says\.$/)
    for (const ask of [prove, cases])
      await expect(ask('00000000-0000-7000-8000-000000000000')).rejects.toThrow('no record')
  })

  it('by "audit tail" and "audit events" at the place of each record whose text is gone', async () => {
    const { tail, events, call, expire } = await readLog()
    await call()
    await expire('texts')
    const shown = await tail()
    const gone = `its text ${byRetention(3)}`
    expect(shown.map(({ summary }) => summary)).toEqual([gone, gone, expect.any(String), expect.any(String)])
    expect(shown[2]?.summary).toContain('deny (forbid)')
    const records = await events('record')
    expect(records).toHaveLength(4)
    expect(records[0]).toMatchObject({ kind: 'decision', index: 0, gone })
    expect(records[2]).toMatchObject({ kind: 'decision', decision: { effect: 'deny' } })
    expect((await events('cloudevents'))[1]).toMatchObject({ type: 'mcpworks.removed.v1', data: { index: 1, gone } })
    expect((await events('ocsf'))[0]).toMatchObject({ class_uid: 6003, message: `decision: ${gone}` })
  })

  it('by records of removals that are as the published schema says', async () => {
    const { storage, call, expire, keeper } = await readLog()
    await call()
    await keeper.placeHold({
      id: 'h',
      namespace,
      subject: null,
      reason: 'a case',
      placedBy: 'operator',
      placedMs: start,
    })
    await keeper.liftHold({ namespace, id: 'h', by: 'operator', reason: 'over' })
    await expire('bodies')
    await expire('texts')
    await keeper.erase({ subject: 'demo/ada', by: 'operator', call: 'c' })
    const records = await storage.decisionLog.read({ namespace, limit: 50 })
    const kinds = records.filter(({ json }) => json !== '').map(({ kind }) => kind)
    expect(kinds).toEqual(expect.arrayContaining(['legal-hold', 'retention', 'erasure', 'decision']))
    const problemsOf = recordValidator()
    expect(records.flatMap(({ json }) => (json === '' ? [] : problemsOf(json)))).toEqual([])
  })
})
