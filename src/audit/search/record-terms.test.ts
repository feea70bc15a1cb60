import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../kernel/index.ts'
import { askedTerms } from './asked-terms.ts'
import { searchFields, type SearchFilter } from './log-search.ts'
import { RecordTerms, termsOf } from './record-terms.ts'

const decision: JsonObject = {
  decision: {
    basis: 'permit',
    determining: [{ effect: 'permit', id: 'a.cedar#b', reason: 'Because of reasons.' }],
    effect: 'allow',
    errors: [{ message: 'an error' }],
    obligations: ['notify ops'],
  },
  mcp: { method: 'tools/call' },
  parent_call: 'above',
  pre: {
    authn: { actors: ['demo/actor'] },
    client: { claimed_name: 'some client' },
    door: 'tool',
    labels_before: ['red'],
    principal: { id: 'demo/ann' },
    target: { service: 'leads', tool: 'leads-top' },
  },
  run: 'run-1',
}
const outcome: JsonObject = {
  outcome: { detail: 'time: 30 s reached', labels_after: ['red', 'blue'], status: 'timeout' },
  parent_call: 'above',
  run: 'run-1',
}
const call = [
  { kind: 'decision', record: decision },
  { kind: 'outcome', record: outcome },
]

function filter(given: Partial<SearchFilter>): SearchFilter {
  const none = { namespace: 'demo', fields: {}, call: null, text: '', fromMs: null, toMs: null, reads: false }
  return { ...none, ...given }
}

/** Whether a search with the filter would take the records. */
function fits(given: Partial<SearchFilter>, records = call): boolean {
  const terms = termsOf(records)
  return askedTerms(filter(given)).every((term) => terms.has(term))
}

describe('what a call is found by', () => {
  const values: Record<(typeof searchFields)[number], string[]> = {
    agent: ['demo/ann', 'demo/actor'],
    tool: ['leads-top'],
    service: ['leads'],
    rule: ['a.cedar#b'],
    effect: ['allow'],
    basis: ['permit'],
    status: ['timeout'],
    label: ['red', 'blue'],
    door: ['tool'],
    kind: ['decision', 'outcome'],
    run: ['run-1'],
    parent: ['above'],
  }

  it.each(searchFields)('is its %s, alone and with every other field, and no other value', (field) => {
    for (const value of values[field]) {
      expect(fits({ fields: { [field]: value } })).toBe(true)
      expect(fits({ fields: { [field]: `${value}x` } })).toBe(false)
      for (const other of searchFields) {
        if (other === field) continue
        expect(fits({ fields: { [field]: value, [other]: values[other][0] ?? '' } })).toBe(true)
        expect(fits({ fields: { [field]: value, [other]: 'x' } })).toBe(false)
      }
    }
  })

  it('are the words of rules, reasons, errors, obligations, details and names', () => {
    expect(fits({ text: 'because reasons error notify 30 reached some client leads cedar ann' })).toBe(true)
    expect(fits({ text: 'because nothing' })).toBe(false)
  })

  it('is not another call that reads the log, unless that is asked for', () => {
    const read = [{ kind: 'decision', record: { ...decision, mcp: { method: 'audit.why' } } }]
    expect([fits({}, read), fits({ reads: true }, read)]).toEqual([false, true])
  })

  it('comes in the same terms record by record as at once', () => {
    const terms = new RecordTerms()
    const inSteps = call.flatMap((source) => terms.add(source))
    expect(new Set(inSteps)).toEqual(termsOf(call))
    expect(inSteps).toHaveLength(new Set(inSteps).size)
  })

  it('is never two fields by the name of one', () => {
    const forged = { ...decision, pre: { ...(decision['pre'] as JsonObject), principal: { id: 'x&effect:4:deny' } } }
    expect(fits({ fields: { agent: 'x', effect: 'deny' } }, [{ kind: 'decision', record: forged }])).toBe(false)
    expect(fits({ fields: { agent: 'x&effect:4:deny' } }, [{ kind: 'decision', record: forged }])).toBe(true)
  })

  it('is of bounded size, whatever an event lists', () => {
    const event = {
      type: 'shadow-decisions',
      same: Array.from({ length: 100 }, (_, number) => `call${number}`),
      words: Array.from({ length: 5000 }, (_, number) => `word${number}`).join(' '),
    }
    const terms = termsOf([{ kind: 'shadow', record: { event, run: 'r' } }])
    expect(terms.size).toBeLessThan(520)
    expect([...terms].some((term) => term.endsWith('call7'))).toBe(false)
  })

  it('is whatever there is where a record is not of its form', () => {
    for (const record of [
      {},
      { pre: 1, decision: [] },
      { decision: { determining: 'x' }, pre: { authn: { actors: {} } } },
    ])
      expect(termsOf([{ kind: 'decision', record: record }])).toContain('all')
  })
})
