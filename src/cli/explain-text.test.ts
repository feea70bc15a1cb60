import { expect, it } from 'vitest'
import { explainText } from './explain-text.ts'

it('says what stood in the way of a call, condition by condition, and who the permits are for', () => {
  const text = explainText({
    decision: { effect: 'deny', basis: 'default-deny', determining: [], errors: [] },
    because: [],
    nearMisses: [
      {
        policyId: 'a.cedar#small',
        conditions: 2,
        failed: [
          { condition: 'context.args.limit <= 25', words: 'the argument limit is at most 25', evaluated: true },
          { condition: 'context.time.toTime() < duration("8h")', words: null, evaluated: false },
        ],
      },
    ],
    elsewhere: [{ policyId: 'a.cedar#others', words: 'it is for the group demo/x, and demo/eve is not' }],
  })
  expect(text.split('\n')).toEqual([
    'deny (default-deny)',
    '  a.cedar#small would permit it, but 2 of its 2 conditions were not so:',
    '      the argument limit is at most 25  [context.args.limit <= 25]',
    '      context.time.toTime() < duration("8h") (could not be evaluated)',
    '  a.cedar#others does not cover it: it is for the group demo/x, and demo/eve is not',
  ])
})

it('says which rule decided and what it asks for', () => {
  const text = explainText({
    decision: {
      effect: 'deny',
      basis: 'forbid',
      determining: [{ id: 'a.cedar#bulk', effect: 'forbid', reason: 'Ask a person.' }],
      errors: [],
    },
    because: [
      {
        policyId: 'a.cedar#bulk',
        conditions: [{ condition: 'context.args.limit > 25', words: 'the argument limit is more than 25' }],
      },
    ],
    nearMisses: [],
    elsewhere: [],
  })
  expect(text).toBe(
    'deny (forbid)\n  forbid a.cedar#bulk: Ask a person.\n      because the argument limit is more than 25  [context.args.limit > 25]',
  )
})

it('says what an allowance demands in return', () => {
  const determining = [{ id: 'a.cedar#reads', effect: 'permit', reason: null }]
  const decision = { effect: 'allow', basis: 'permit', determining, errors: [], obligations: ['redact email'] }
  expect(explainText({ decision })).toBe('allow (permit)\n  permit a.cedar#reads\n  on condition: redact email')
})

it('lists who may call what, and counts', () => {
  const row = (principal: string, access: string, policies: string[]) => ({ principal, tool: 't', access, policies })
  const text = explainText({ access: [row('demo/a', 'always', ['x.cedar#p']), row('demo/b', 'never', [])] })
  expect(text).toContain('(no rule permits it)')
  expect(text).toMatch(/1 always, 0 conditional, 1 never$/u)
})
