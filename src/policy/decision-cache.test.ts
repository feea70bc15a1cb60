import { describe, expect, it } from 'vitest'
import { demoVocabulary, policyRequest, type RequestParts } from '../../test/support/policy-request.ts'
import { canonicalJson, sha256, uuidv7, type JsonObject } from '../kernel/index.ts'
import { CedarSlots } from './cedar-slots.ts'
import { decideRequest } from './decide-request.ts'
import { DecisionCache } from './decision-cache.ts'
import type { CallUsage } from './decision.ts'
import type { Judgement } from './judge-part.ts'
import { LruMap } from './lru-map.ts'
import { NamespacePolicies } from './namespace-policies.ts'
import { parsePolicies } from './parse-policies.ts'
import { ToolVocabulary } from './tool-vocabulary.ts'

/** A cache that counts how often Cedar was asked. */
class CountingCache extends DecisionCache {
  asked = 0

  override answer(...[prepared, part, judge]: Parameters<DecisionCache['answer']>): Judgement {
    return super.answer(prepared, part, () => {
      this.asked += 1
      return judge()
    })
  }
}

const slots = new CedarSlots(uuidv7(0))

function deciding(...texts: string[]) {
  const cache = new CountingCache()
  const inForce = texts.map((text) => {
    const { set, problems } = parsePolicies([{ file: 'p.cedar', text }], new LruMap(100_000))
    expect(problems).toEqual([])
    return new NamespacePolicies(set, new ToolVocabulary(demoVocabulary), new Set())
  })
  const decide = (parts: RequestParts, which = 0) => {
    const policies = inForce[which]
    if (policies === undefined) throw new Error('no such policies')
    const decision = decideRequest(policyRequest(parts), policies, slots, cache)
    expect(decision.requestHash).toBe(sha256(decision.engineInput))
    return decision
  }
  return { cache, decide }
}

const permit = (condition: string, scope = 'principal, action, resource') => `permit (${scope}) when { ${condition} };`
const call = (args: JsonObject, context: RequestParts['context'] = {}): RequestParts => ({
  arguments: { query: 'companies', limit: 5, ...args },
  context,
})
const calls = (callsDay: number): CallUsage => {
  const figures = { callsMinute: 0, callsDay, bytesOutDay: 0, spendDay: 0, running: 0 }
  return { agent: { ...figures, callsDay: callsDay * 2 }, tool: figures }
}

describe('remembered decisions', () => {
  it.each<[string, RequestParts[], number]>([
    ['context.args.limit == 5', [call({ query: 'a' }), call({ query: 'b' }), call({ tags: ['x'] })], 1],
    ['context.args.limit == 5', [call({ limit: 5 }), call({ limit: 6 }), call({ limit: 5 })], 2],
    ['context.args has score', [call({ score: 1 }), call({ score: 2 }), call({}), call({ score: null })], 2],
    [
      'context.args has filter && context.args.filter.state == "NY"',
      [call({ filter: { state: 'NY', size: 1 } }), call({ filter: { state: 'NY', size: 2 } }), call({})],
      2,
    ],
    ['[context.args].contains({limit: 5, query: "a"})', [call({ query: 'a' }), call({ query: 'b' })], 2],
    ['context.hour == 10', [call({}, { timeMs: 1_788_345_600_000 }), call({}, { timeMs: 1_788_345_600_001 })], 1],
    ['context.time < datetime("2030-01-01")', [call({}), call({})], 2],
    ['context.door == "tool"', [call({}, { usage: calls(1) }), call({}, { usage: calls(2) })], 1],
    ['context.usage.agent.calls_day < 9', [call({}, { usage: calls(1) }), call({}, { usage: calls(2) })], 2],
    ['context.usage.agent.running == 0', [call({}, { usage: calls(1) }), call({}, { usage: calls(2) })], 1],
    ['!context.approved', [call({}), call({}, { approved: true }), call({}, { approved: false })], 2],
    ['true', [call({}), call({}, { door: 'code', labels: ['x'], address: '::1' })], 1],
  ])('under %s are those of requests that differ in nothing it reads', (condition, requests, asked) => {
    const { cache, decide } = deciding(permit(condition))
    for (const request of requests) decide(request)
    expect(cache.asked).toBe(asked)
  })

  it('carry the input of the request that was asked', () => {
    const { decide } = deciding(permit('context.args.limit == 5'))
    const [first, second] = [decide(call({ query: 'a' })), decide(call({ query: 'b' }))]
    expect([first.effect, second.effect]).toEqual(['allow', 'allow'])
    expect(second.requestHash).not.toBe(first.requestHash)
    const { engineInput } = second
    expect(engineInput).toBe(canonicalJson(JSON.parse(engineInput)))
    expect(JSON.parse(engineInput)).toMatchObject({ context: { args: { query: 'b' } } })
  })

  it('are refused with the arguments that cannot be judged, whatever was answered before', () => {
    const { decide } = deciding(permit('context.args.limit == 5'))
    expect(decide(call({})).effect).toBe('allow')
    expect(decide(call({ limit: 2 ** 60 }))).toMatchObject({ effect: 'deny', basis: 'error' })
    expect(decide(call({ anything: { __entity: 1 } }))).toMatchObject({ effect: 'deny', basis: 'error' })
    expect(decide(call({ query: '\ud800' }))).toMatchObject({ effect: 'deny', basis: 'error' })
  })

  it('belong to one principal, one resource and one text of the policies in scope', () => {
    const analysts = permit('true', 'principal in AgentGroup::"demo/analysts", action, resource')
    const elsewhere = permit('true', 'principal, action, resource == Tool::"demo/leads-drop"')
    const { cache, decide } = deciding(analysts, `${analysts}\n${elsewhere}`, analysts.replace('true', '!false'))
    expect(decide({}).effect).toBe('allow')
    expect(decide({}, 1).effect).toBe('allow')
    expect(cache.asked).toBe(1)
    expect(decide({}, 2).effect).toBe('allow')
    expect(cache.asked).toBe(2)
    expect(decide({ principal: { groups: [] } }).effect).toBe('deny')
    expect(decide({ principal: { id: 'demo/mailer' } }).effect).toBe('allow')
    expect(decide({ resource: { id: 'demo/leads-drop' }, arguments: { id: '1' } }).effect).toBe('allow')
    expect(cache.asked).toBe(5)
    expect(decide({ principal: { id: 'other/analyst', namespace: 'other' } }).effect).toBe('deny')
  })

  it('are forgotten when told', () => {
    const { cache, decide } = deciding(permit('true'))
    decide({})
    cache.clear()
    decide({})
    expect(cache.asked).toBe(2)
  })
})
