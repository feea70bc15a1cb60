import { describe, expect, it } from 'vitest'
import { policyToJson } from './cedar.ts'
import { compileRules } from './compile-rules.ts'
import type { ShortRule } from './rules-file.ts'

const compile = (...rules: readonly ShortRule[]) =>
  compileRules(
    'demo',
    rules.map((rule, index) => ({ rule, line: index + 1 })),
  )

/** The Cedar text of one rule; fails where it cannot be compiled. */
function cedarOf(rule: ShortRule): string {
  const compiled = compile(rule)
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults))
  return compiled.text.trimEnd()
}

describe('short rules', () => {
  it('become one policy where they name one who and one which', () => {
    expect(
      cedarOf({
        id: 'no-bulk',
        deny: 'anyone',
        tools: 'leads-export',
        when: 'args.limit > 25',
        reason: 'Ask for less.',
      }),
    ).toBe(
      '@id("no-bulk") @reason("Ask for less.") forbid (principal, action == Action::"call", resource == Tool::"demo/leads-export") when { (context.args . limit > 25) };',
    )
  })

  it('become numbered policies where they name several', () => {
    const text = cedarOf({ id: 'reads', allow: ['group analysts', 'agent anna'], tools: ['service leads', 'any tool'] })
    expect(text.split(/(?<=;) /)).toEqual([
      '@id("reads.1") permit (principal in AgentGroup::"demo/analysts", action == Action::"call", resource in Service::"demo/leads");',
      '@id("reads.2") permit (principal in AgentGroup::"demo/analysts", action == Action::"call", resource in Namespace::"demo");',
      '@id("reads.3") permit (principal == Agent::"demo/anna", action == Action::"call", resource in Service::"demo/leads");',
      '@id("reads.4") permit (principal == Agent::"demo/anna", action == Action::"call", resource in Namespace::"demo");',
    ])
  })

  it('leave alone what they except', () => {
    const rule = { id: 'r', deny: 'anyone', tools: 'any tool', except: ['crm-show', 'service leads'], when: 'hour > 8' }
    expect(cedarOf(rule)).toContain(
      'unless { (resource == Tool::"demo/crm-show") || (resource in Service::"demo/leads") } when { (context.hour > 8) };',
    )
  })

  it('demand every condition of "when" and none of "unless"', () => {
    expect(
      cedarOf({ id: 'r', allow: 'anyone', tools: 't', when: ['hour >= 8', 'hour < 18'], unless: ['a', 'b'] }),
    ).toContain('when { (context.hour >= 8) && (context.hour < 18) } unless { (a) || (b) };')
  })

  it('know the circumstances by their short names, and only where they stand for themselves', () => {
    const when =
      'args has hour && args.hour == hour && context.door == door && Door::time::"x" != {labels: labels}.labels && address.isLoopback() // time'
    expect(cedarOf({ id: 'r', allow: 'anyone', tools: 't', when })).toContain(
      '(context.args has hour && context.args . hour == context.hour && context . door == context.door && Door :: time :: "x" != { labels : context.labels } . labels && context.address . isLoopback ( ))',
    )
  })

  it('stand on the line of their rule', () => {
    const rule = { id: 'a', allow: 'anyone', tools: 't' }
    const compiled = compileRules('demo', [
      { rule, line: 3 },
      { rule: { ...rule, id: 'b' }, line: 3 },
      { rule: { ...rule, id: 'c' }, line: 7 },
    ])
    const lines = compiled.ok ? compiled.text.split('\n') : []
    expect(lines.map((line) => [...line.matchAll(/@id\("(.)"\)/g)].map(([, id]) => id).join(''))).toEqual([
      '',
      '',
      'ab',
      '',
      '',
      '',
      'c',
      '',
    ])
  })

  it.each([
    'true }; permit (principal, action, resource) when { true',
    'true } unless { false',
    'true); permit (principal, action, resource',
    'true) || (true',
    '(true',
    'true ; true',
    '@id("x") true',
    '"open',
    '// only a comment',
    '   ',
  ])('cannot be ended by a condition: %j', (when) => {
    expect(compile({ id: 'r', deny: 'anyone', tools: 't', when })).toMatchObject({
      ok: false,
      faults: [{ rule: 0, member: 'when' }],
    })
  })

  it('carry any sentence as a string of Cedar', () => {
    const reason = 'Say "no" \\ to\n\u0000 }; permit (principal, action, resource);'
    const parsed = policyToJson(cedarOf({ id: 'r', deny: 'anyone', tools: 't', reason }))
    expect(parsed).toMatchObject({ type: 'success', json: { annotations: { id: 'r', reason } } })
  })

  it('let an approved call past a denial that asks for approval', () => {
    const rule = { id: 'r', deny: 'anyone', tools: 't', unless: 'hour > 8' } as const
    expect(cedarOf({ ...rule, remedy: 'approval' })).toContain(
      'unless { (context.hour > 8) } unless { context.approved };',
    )
    expect(cedarOf({ ...rule, remedy: 'Ask your owner.' })).not.toContain('approved')
  })

  it.each([
    [{ id: 'r', tools: 't' }, null],
    [{ id: 'r', tools: 't', allow: 'anyone', deny: 'anyone' }, null],
    [{ id: 'r', tools: 't', allow: 'anyone', remedy: 'approval' }, 'remedy'],
    [{ id: 'r', tools: 't', deny: 'anyone', obligation: 'notify ops' }, 'obligation'],
    [{ id: 'r', tools: 't', allow: 'anyone', obligation: 'redct email' }, 'obligation'],
  ])('are refused where they contradict themselves: %j', (rule, member) => {
    expect(compile(rule)).toMatchObject({ ok: false, faults: [{ rule: 0, member }] })
  })

  it('are refused where two have one id', () => {
    const rule = { id: 'r', allow: 'anyone', tools: 't' }
    expect(compile(rule, rule)).toMatchObject({ ok: false, faults: [{ rule: 1, member: 'id' }] })
  })
})
