import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isJsonObject, type JsonObject } from '../../src/kernel/index.ts'
import { textOutcome, toolEntry } from '../support/echo-entries.ts'
import { startTestApp, toolResult, type TestApp } from '../support/running-app.ts'

const policies = `
  permit (principal, action == Action::"call", resource in Namespace::"demo");
  @id("ten-a-minute")
  @reason("Ten searches in a minute are enough.")
  forbid (principal, action == Action::"call", resource == Tool::"demo/limited-search")
  when { context.usage.tool.calls_minute >= 10 };
  @id("three-a-day")
  forbid (principal, action == Action::"call", resource == Tool::"demo/limited-daily")
  when { context.usage.tool.calls_day >= 3 };
`

let tested: TestApp
const keys = new Map<string, string>()

beforeAll(async () => {
  const answering = (name: string) => toolEntry(name, async () => textOutcome('done'))
  tested = await startTestApp({
    entries: ['limited-search', 'limited-daily', 'limited-free'].map(answering),
  })
  await tested.apply('demo', {
    'namespace.yaml': 'namespace: demo\nagents: [{name: one}, {name: two}, {name: three}]\n',
    'policies/limits.cedar': policies,
  })
  for (const agent of ['one', 'two', 'three']) keys.set(agent, await tested.key('demo', agent))
})
afterAll(async () => tested.close())

const call = async (key: string, tool: string) => toolResult((await tested.call(key, 'demo', tool, {})).message)

describe('a limit on calls', () => {
  it('lets exactly ten of fifty calls through that come at once, and says when to try again', async () => {
    const key = keys.get('one') ?? ''
    const answers = await Promise.all(Array.from({ length: 50 }, async () => call(key, 'limited-search')))
    expect(answers.filter(({ isError }) => !isError)).toHaveLength(10)
    const refused = answers.find(({ isError }) => isError)
    expect(refused?.text).toMatch(/Ten searches in a minute are enough\. Try again in (5\d|6[01]) seconds\./)
    expect(refused?.text).toContain('Rule: limits.cedar#ten-a-minute')
  })

  it('lets fifty through where the limit does not cover the tool: the limit refused the others', async () => {
    const key = keys.get('one') ?? ''
    const answers = await Promise.all(Array.from({ length: 50 }, async () => call(key, 'limited-free')))
    expect(answers.filter(({ isError }) => !isError)).toHaveLength(50)
  })

  it('counts all credentials of an agent together, and each agent for itself', async () => {
    const second = await tested.key('demo', 'two')
    const credentials = [keys.get('two') ?? '', second]
    const answers: boolean[] = []
    for (let at = 0; at < 4; at++) answers.push((await call(credentials[at % 2] ?? '', 'limited-daily')).isError)
    expect(answers).toEqual([false, false, false, true])
    expect((await call(keys.get('three') ?? '', 'limited-daily')).isError).toBe(false)
  })

  it('puts the numbers before the call in its record, and on the page that says why', async () => {
    const { call: id } = await call(keys.get('two') ?? '', 'limited-daily')
    const explained = await tested.manage('demo', 'audit.why', { namespace: 'demo', call: id })
    const quota = isJsonObject(explained.facts) ? (explained.facts.quota as JsonObject) : {}
    expect(quota).toMatchObject({ target: 'Tool limited-daily', spend: 0, tool: { calls_day: 3, running: 0 } })
    expect(quota.retryAfterSeconds).toBeGreaterThan(0)
    expect(String(explained.text)).toContain('used before of Tool limited-daily: 3 calls in a minute, 3 today')
  })
})
