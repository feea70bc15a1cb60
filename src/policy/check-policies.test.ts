import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { demoVocabulary } from '../../test/support/policy-request.ts'
import { createCedarPolicyEngine } from './create-cedar-policy-engine.ts'
import type { PolicyProblem, PolicyVocabulary } from './policy-engine.ts'

interface Case {
  readonly name: string
  readonly text: string
  readonly says?: readonly string[]
}

const cases = parse(readFileSync(new URL('check-policies.cases.yaml', import.meta.url), 'utf8')) as Case[]

const said = ({ severity, line, column, message, hint }: PolicyProblem): string =>
  `${severity} ${line}:${column} ${message} | ${hint ?? ''}`

describe('checking a policy file', () => {
  const engine = createCedarPolicyEngine()

  it.each(cases)('$name', ({ text, says = [] }) => {
    const check = engine.check([{ file: 'cases.cedar', text }], demoVocabulary)
    expect(check.problems.map(said)).toEqual(says)
    expect(check.ok).toBe(!says.some((line) => line.startsWith('error')))
  })

  it('gives advice to whoever writes policies, and none where the catalogue changes under them', () => {
    const text = '@obligation("notify oops") permit (principal, action, resource in Service::"demo/mail");'
    const sources = [{ file: 'a.cedar', text }]
    const fresh = createCedarPolicyEngine()
    expect(fresh.install(sources, demoVocabulary).problems).toHaveLength(1)
    expect(fresh.install(sources, demoVocabulary, 'deny-affected')).toMatchObject({ ok: true, problems: [] })
    expect(fresh.install(sources, { ...demoVocabulary, tools: [] }, 'deny-affected').problems).toHaveLength(1)
  })

  it('reports the mistakes of all files, each with its name', () => {
    const files = ['a.cedar', 'b.cedar'].map((file) => ({
      file,
      text: '\npermit (principal, action, resource == Tool::"demo/none");',
    }))
    expect(engine.check(files, demoVocabulary).problems).toMatchObject([
      { file: 'a.cedar', line: 2 },
      { file: 'b.cedar', line: 2 },
    ])
  })

  it('refuses the same @id in two files, the same file twice, and names that are not plain', () => {
    const text = '@id("x") permit (principal, action, resource in Service::"demo/mail");'
    const problems = (...files: string[]) =>
      engine
        .check(
          files.map((file) => ({ file, text })),
          demoVocabulary,
        )
        .problems.map(({ message }) => message)
    expect(problems('a.cedar', 'b.cedar')).toEqual(['@id("x") is taken: a.cedar line 1 has it too'])
    expect(problems('a.cedar', 'a.cedar')).toEqual([
      "the file is there twice, or is the name of the platform's own policies",
    ])
    expect(problems('builtin')).toEqual(["the file is there twice, or is the name of the platform's own policies"])
    expect(problems('../a.cedar')).toEqual(['the file has a name that is not plain'])
  })

  it('installs nothing where there is an error, and everything at once where there is none', () => {
    const fresh = createCedarPolicyEngine()
    const good = { file: 'a.cedar', text: 'permit (principal, action, resource);' }
    expect(fresh.install([good, { file: 'b.cedar', text: 'permit (' }], demoVocabulary).ok).toBe(false)
    expect(fresh.policySetHash('demo')).toBeNull()
    const installed = fresh.install([good], demoVocabulary)
    expect(installed).toMatchObject({ ok: true, policyCount: 16 })
    expect(fresh.policySetHash('demo')).toBe(installed.ok && installed.policySetHash)
    fresh.remove('demo')
    expect(fresh.policySetHash('demo')).toBeNull()
  })

  it('hashes the names and texts of the files whatever their order', () => {
    const one = { file: 'a.cedar', text: 'permit (principal, action, resource);' }
    const two = { file: 'b.cedar', text: 'forbid (principal, action, resource);' }
    const hash = (...sources: { file: string; text: string }[]) => {
      const check = engine.check(sources, demoVocabulary)
      return check.ok ? check.policySetHash : null
    }
    expect(hash(one, two)).toBe(hash(two, one))
    expect(hash(one, two)).not.toBe(hash(one))
    expect(hash(one)).not.toBe(hash({ ...one, file: 'c.cedar' }))
    expect(hash(one)).not.toBe(hash({ ...one, text: `${one.text} ` }))
    expect(hash()).toMatch(/^sha256:[0-9a-f]{64}$/)
  })

  it('does not ask which agents there are where it is not told', () => {
    const { namespace, tools } = demoVocabulary
    const vocabulary: PolicyVocabulary = { namespace, tools, services: ['files'] }
    const text =
      'permit (principal == Agent::"demo/nobody", action == Action::"read", resource in Service::"demo/files");'
    expect(engine.check([{ file: 'a.cedar', text }], vocabulary).problems).toEqual([])
  })

  it('checks one policy against a thousand tools of different types by the arguments that it names', () => {
    const tools = Array.from({ length: 1_000 }, (_, index) => ({
      name: `many-tool${index}`,
      service: 'many',
      inputSchema: {
        type: 'object',
        properties: { limit: { type: index === 700 ? 'string' : 'integer' }, [`own${index}`]: { type: 'boolean' } },
        required: ['limit'],
      },
    }))
    const text =
      'forbid (principal, action == Action::"call", resource in Service::"demo/many") when { context.args.limit > 3 };'
    expect(engine.check([{ file: 'a.cedar', text }], { namespace: 'demo', tools }).problems.map(said)).toEqual([
      'error 1:87 unexpected type: expected Long but saw String (for demo/many-tool700) | ',
    ])
  })
})
