import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isJsonObject, type JsonObject } from '../../src/kernel/index.ts'
import type { ActOutcome, CatalogueEntry } from '../../src/gateway/index.ts'
import { textOutcome, toolEntry, type Act } from '../support/echo-entries.ts'
import { gatedEntry } from '../support/gated-entry.ts'
import { startTestApp, toolResult, type TestApp } from '../support/running-app.ts'

/**
 * Threat category "authorization" (design/threats.md): who can have two calls decided before either is counted, or be
 * counted as two, passes a limit. Each agent has its own way round; the control is one of the tools without a limit.
 */
const policies = `
  permit (principal, action == Action::"call", resource in Namespace::"demo");
  @id("ten-a-minute")
  @reason("Ten searches in a minute are enough.")
  forbid (principal, action == Action::"call", resource == Tool::"demo/limited-search")
  when { context.usage.tool.calls_minute >= 10 };
  @id("three-a-day")
  forbid (principal, action == Action::"call", resource == Tool::"demo/limited-daily")
  when { context.usage.tool.calls_day >= 3 };
  @id("one-at-a-time")
  forbid (principal, action == Action::"call", resource == Tool::"demo/limited-slow")
  when { context.usage.tool.running >= 1 };
  @id("bytes-a-day")
  forbid (principal, action == Action::"call", resource == Tool::"demo/limited-large")
  when { context.usage.tool.bytes_out_day >= 1500 };
  @id("ten-euros-a-day")
  forbid (principal, action == Action::"call", resource == Tool::"demo/limited-pay")
  when { context.usage.agent.spend_day + context.facts.price.minor > 1000 };
`
const facts = `
spend: { currency: EUR }
facts:
  limited-pay:
    price: { extract: money, from: cents, currency: EUR, unit: minor, spend: true }
`

const done = (name: string, text = 'done') => toolEntry(name, async () => textOutcome(text))

/** A tool whose code calls the one that may be called three times a day, twice. */
const twice: CatalogueEntry = {
  ...done('twice'),
  calls: ['limited-daily'],
  backend: {
    async act(_invocation, { signal }, callTool) {
      const ends = [await callTool('limited-daily', {}, signal), await callTool('limited-daily', {}, signal)]
      return textOutcome(ends.map(({ status }) => status).join(' '))
    },
  },
}
/** What the tool with the limit on bytes does. */
let large: Act = async () => textOutcome('x'.repeat(1000))
const slow = gatedEntry('limited-slow')
const agents = ['burst', 'keys', 'fresh', 'inner', 'slow', 'large', 'failing', 'asking', 'payer']
const keys = new Map<string, string>()
let tested: TestApp

beforeAll(async () => {
  const price = { type: 'object', properties: { cents: { type: 'integer' } }, required: ['cents'] }
  tested = await startTestApp({
    entries: [
      ...['limited-search', 'limited-daily', 'unlimited'].map((name) => done(name)),
      twice,
      slow.entry,
      toolEntry('limited-large', (...given) => large(...given)),
      toolEntry('limited-pay', async () => textOutcome('paid'), 'demo', price),
    ],
  })
  await tested.apply('demo', {
    'namespace.yaml': `namespace: demo\nagents: [${agents.map((name) => `{name: ${name}}`).join(', ')}]\n`,
    'policies/limits.cedar': policies,
    'policies/facts.yaml': facts,
  })
  for (const agent of agents) keys.set(agent, await tested.key('demo', agent))
})
afterAll(async () => tested.close())

const call = async (agent: string, tool: string, args: JsonObject = {}, key = keys.get(agent) ?? '') =>
  toolResult((await tested.call(key, 'demo', tool, args)).message)

const atOnce = async (calls: number, one: () => Promise<{ isError: boolean; text: string }>) => {
  const answers = await Promise.all(Array.from({ length: calls }, one))
  return { passed: answers.filter(({ isError }) => !isError).length, refused: answers.find(({ isError }) => isError) }
}

describe('a limit', () => {
  it('lets exactly ten of fifty calls through that come at once, and says when to try again', async () => {
    const { passed, refused } = await atOnce(50, async () => call('burst', 'limited-search'))
    expect(passed).toBe(10)
    expect(refused?.text).toMatch(/Ten searches in a minute are enough\. Try again in (5\d|6[01]) seconds\./)
    expect(refused?.text).toContain('Rule: limits.cedar#ten-a-minute')
    const { message } = await tested.call(keys.get('burst') ?? '', 'demo', 'limited-search', {})
    expect(message.result).toMatchObject({ _meta: { 'mcpworks/denial': { retryAfterSeconds: expect.any(Number) } } })
    // The control: nothing else keeps fifty calls from passing.
    expect((await atOnce(50, async () => call('burst', 'unlimited'))).passed).toBe(50)
  })

  it('counts all credentials of an agent together, and each agent for itself', async () => {
    const second = await tested.key('demo', 'keys')
    const answers: boolean[] = []
    for (const key of [keys.get('keys'), second, keys.get('keys'), second])
      answers.push((await call('keys', 'limited-daily', {}, key)).isError)
    expect(answers).toEqual([false, false, false, true])
    expect((await call('fresh', 'limited-daily')).isError).toBe(false)
  })

  it('counts what functions do on behalf of the agent as what the agent does', async () => {
    expect((await call('inner', 'twice')).text).toBe('ok ok')
    expect((await call('inner', 'limited-daily')).isError).toBe(false)
    expect((await call('inner', 'twice')).text).toBe('denied denied')
    expect((await call('inner', 'limited-daily')).isError).toBe(true)
  })

  it('on calls under way holds until they end, and promises no time', async () => {
    const first = call('slow', 'limited-slow')
    await slow.begun()
    const refused = await call('slow', 'limited-slow')
    expect(refused.isError).toBe(true)
    expect(refused.text).not.toContain('Try again')
    slow.release()
    await first
    const next = call('slow', 'limited-slow')
    await slow.begun()
    slow.release()
    expect((await next).isError).toBe(false)
  })

  it('on bytes lets the call through that goes over it, and none after, until the next day', async () => {
    const answers = [await call('large', 'limited-large'), await call('large', 'limited-large')]
    expect(answers.map(({ isError }) => isError)).toEqual([false, false])
    const refused = await call('large', 'limited-large')
    expect(refused.isError).toBe(true)
    expect(refused.text).toMatch(/Try again in \d+ (hours|minutes|seconds)\./)
  })

  it.each<[string, string, ActOutcome]>([
    [
      'errors',
      'failing',
      { status: 'protocol-error', rpcCode: -32_603, message: 'no', data: { rows: 'x'.repeat(1000) } },
    ],
    [
      'questions',
      'asking',
      {
        status: 'input-required',
        inputRequests: {
          rows: {
            method: 'elicitation/create',
            params: { mode: 'form', message: 'x'.repeat(1000), requestedSchema: { type: 'object', properties: {} } },
          },
        },
        state: null,
      },
    ],
  ])('on bytes counts what a tool gives out in %s, and its record holds it', async (_, agent, outcome) => {
    const result = large
    large = async () => outcome
    const ask = async () => await tested.call(keys.get(agent) ?? '', 'demo', 'limited-large', {})
    const answers = [await ask(), await ask()]
    for (const { message } of answers) expect(JSON.stringify(message)).not.toContain('bytes-a-day')
    expect(JSON.stringify((await ask()).message)).toContain('bytes-a-day')
    large = result

    const shown = await tested.manage('demo', 'audit.tail', { namespace: 'demo', principal: `demo/${agent}` })
    const allowed = (shown.records as JsonObject[])
      .map(({ record }) => record as JsonObject)
      .find(({ decision }) => isJsonObject(decision) && decision.effect === 'allow')
    const why = await tested.manage('demo', 'audit.why', { namespace: 'demo', call: String(allowed?.call) })
    expect(JSON.stringify(why)).toContain('x'.repeat(1000))
    // The control: whoever got less may go on.
    expect((await call('fresh', 'limited-large')).isError).toBe(false)
  })

  it('on what is spent holds for calls that come at once, with what each would add', async () => {
    const { passed } = await atOnce(5, async () => call('payer', 'limited-pay', { cents: 300 }))
    expect(passed).toBe(3)
    expect((await call('payer', 'limited-pay', { cents: 101 })).isError).toBe(true)
    expect((await call('payer', 'limited-pay', { cents: 100 })).isError).toBe(false)
    expect((await call('payer', 'limited-pay', { cents: 1 })).isError).toBe(true)
    expect((await call('payer', 'limited-pay', { cents: 0 })).isError).toBe(false)
  })

  it('puts the numbers before the call in its record, and on the page that says why', async () => {
    const { call: id } = await call('keys', 'limited-daily')
    const explained = await tested.manage('demo', 'audit.why', { namespace: 'demo', call: id })
    const quota = isJsonObject(explained.facts) ? (explained.facts.quota as JsonObject) : {}
    expect(quota).toMatchObject({ target: 'Tool limited-daily', spend: 0, tool: { calls_day: 3, running: 0 } })
    expect(quota.retryAfterSeconds).toBeGreaterThan(0)
    expect(String(explained.text)).toContain('used before of Tool limited-daily: 3 calls in a minute, 3 today')
  })
})
