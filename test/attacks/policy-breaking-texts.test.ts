import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { isAuthorized } from '@cedar-policy/cedar-wasm/nodejs'
import { describe, expect, it } from 'vitest'
import { createCedarPolicyEngine } from '../../src/policy/index.ts'
import { demoVocabulary, policyRequest } from '../support/policy-request.ts'

/**
 * Threat category "authorization" (design/threats.md): policy texts that take the engine down for everyone, or that
 * silently never do what they say.
 */
const permitted = { file: 'a.cedar', text: '@id("all") permit (principal is Agent, action, resource);' }

const when = (body: string): string => `permit (principal, action, resource) when { ${body} };`
const many = (count: number, part: string, joint: string): string =>
  Array.from({ length: count }, () => part).join(joint)

const deadly = {
  'a chain of 500 &&': when(many(500, 'context.door == "x"', ' && ')),
  'a chain of 500 ||': when(many(500, 'context.door == "x"', ' || ')),
  '500 additions': when(`${many(500, 'context.hour', ' + ')} == 1`),
  '500 when clauses': `permit (principal, action, resource) ${many(500, 'when { context.hour == 1 }', ' ')};`,
  '200 brackets': when(`${'('.repeat(200)}context.hour == 1${')'.repeat(200)}`),
  '200 sets': when(`${'['.repeat(200)}1${']'.repeat(200)} == context.hour`),
  '200 records': when(`${'{a:'.repeat(200)}1${'}'.repeat(200)} == context.hour`),
  '200 negations': when(`${'!('.repeat(200)}context.hour == 1${')'.repeat(200)}`),
  '600 conditionals': when(`${'if context.hour == 1 then '.repeat(600)}true${' else true'.repeat(600)}`),
  '1,000 members': when(`context${'.a'.repeat(1_000)} == 1`),
}

describe('a policy that is too much for Cedar', () => {
  it.each(Object.entries(deadly))('is refused before Cedar sees it, and the engine goes on: %s', (_, text) => {
    const engine = createCedarPolicyEngine()
    expect(engine.install([permitted], demoVocabulary).ok).toBe(true)
    const check = engine.install([permitted, { file: 'b.cedar', text }], demoVocabulary)
    expect(check.ok).toBe(false)
    expect(check.problems).toMatchObject([{ file: 'b.cedar', line: 1, column: 1, severity: 'error' }])
    expect(check.problems[0]?.message).toMatch(/brackets nest at most|at most \d+ (operators|"if"|tokens)|levels deep/)
    expect(engine.decide(policyRequest())).toMatchObject({ effect: 'allow' })
  })

  it('is accepted and evaluated up to the limit', () => {
    const engine = createCedarPolicyEngine()
    const sources = [
      when(many(90, 'context.door == "tool"', ' && ')),
      when(`${'('.repeat(13)}context.hour < 24${')'.repeat(13)}`),
      when(`${'['.repeat(13)}1${']'.repeat(13)} == ${'['.repeat(13)}1${']'.repeat(13)}`),
      when(`[${Array.from({ length: 3_000 }, (_, index) => index).join(', ')}].contains(context.hour)`),
      `permit (principal, action, resource) ${many(60, 'when { context.hour < 24 }', ' ')};`,
    ].map((text, index) => ({ file: `p${index}.cedar`, text }))
    expect(engine.install(sources, demoVocabulary)).toMatchObject({ ok: true })
    expect(engine.decide(policyRequest()).determining).toHaveLength(5)
  })

  it('takes stock Cedar down for every later call in the process: the control, in which we deny and say that we are broken', async () => {
    const worker = new Worker(
      `const { parentPort, workerData } = require('node:worker_threads')
       const cedar = require('@cedar-policy/cedar-wasm/nodejs')
       const ask = (text) => {
         try {
           return cedar.isAuthorized({ principal: { type: 'A', id: 'a' }, action: { type: 'Action', id: 'x' }, resource: { type: 'A', id: 'a' },
             context: { door: 'x' }, policies: { staticPolicies: text }, entities: [] }).response.decision
         } catch (error) { return String(error) }
       }
       const harmless = 'permit (principal, action, resource);'
       import(workerData.engine).then(({ createCedarPolicyEngine }) => {
         let nowMs = 0
         const engine = createCedarPolicyEngine({ monotonicMs: () => nowMs })
         engine.install([workerData.permitted], workerData.vocabulary)
         const ours = () => [engine.decide(workerData.request).effect, engine.isWorking()]
         const before = ours()
         const stock = [ask(harmless), ask(workerData.deadly), ask(harmless)]
         // The same request as before: what was answered then is forgotten within a second.
         nowMs = 1_000
         parentPort.postMessage({ before, stock, after: ours() })
       })`,
      {
        eval: true,
        workerData: {
          engine: new URL('../../src/policy/index.ts', import.meta.url).href,
          permitted,
          vocabulary: demoVocabulary,
          request: policyRequest(),
          deadly: deadly['a chain of 500 &&'],
        },
      },
    )
    const [answers] = (await once(worker, 'message')) as [unknown]
    await worker.terminate()
    const trap = 'RuntimeError: memory access out of bounds'
    expect(answers).toEqual({ before: ['allow', true], stock: ['allow', trap, trap], after: ['deny', false] })
  })
})

describe('a policy that names what is not there', () => {
  const typo =
    'permit (principal, action == Action::"call", resource == Tool::"demo/mail-send");\n' +
    'forbid (principal, action == Action::"call", resource == Tool::"demo/mail-send")\nwhen { context.args.amuont.greaterThan(decimal("100.0")) };'
  const sending = policyRequest({
    resource: { id: 'demo/mail-send', service: 'mail' },
    arguments: { to: [], amount: 5_000, retries: 1 },
  })

  it('is refused when it is written, with the place and the nearest name, and the old policies stay in force', () => {
    const engine = createCedarPolicyEngine()
    const right = { file: 'mail.cedar', text: typo.replace('amuont', 'amount') }
    expect(engine.install([right], demoVocabulary).ok).toBe(true)
    const hash = engine.policySetHash('demo')
    expect(engine.install([{ file: 'mail.cedar', text: typo }], demoVocabulary)).toEqual({
      ok: false,
      problems: [
        {
          file: 'mail.cedar',
          line: 3,
          column: 21,
          message: 'no tool in the scope of this policy has an argument "amuont"',
          hint: 'did you mean "amount"?',
          severity: 'error',
        },
      ],
    })
    expect(engine.policySetHash('demo')).toBe(hash)
    expect(engine.decide(sending)).toMatchObject({ effect: 'deny', basis: 'forbid' })
    expect(engine.decide({ ...sending, arguments: { ...sending.arguments, amount: 50 } })).toMatchObject({
      effect: 'allow',
    })
  })

  it('is skipped by Cedar without a schema, which lets the call through: the control', () => {
    const answer = isAuthorized({
      principal: { type: 'Agent', id: 'demo/mailer' },
      action: { type: 'Action', id: 'call' },
      resource: { type: 'Tool', id: 'demo/mail-send' },
      context: { args: { amount: { __extn: { fn: 'decimal', arg: '5000.0' } } } },
      policies: { staticPolicies: typo },
      entities: [],
    })
    expect(answer).toMatchObject({ response: { decision: 'allow', diagnostics: { errors: [{}] } } })
  })
})

describe('a tool that changes under its policies', () => {
  const text =
    'permit (principal, action == Action::"call", resource in Namespace::"demo");\n' +
    '@id("no-bulk") forbid (principal, action == Action::"call", resource == Tool::"demo/leads-top") when { context.args.limit > 100 };'
  const renamed = {
    ...demoVocabulary,
    tools: demoVocabulary.tools.map((tool) =>
      tool.name === 'leads-top'
        ? {
            ...tool,
            inputSchema: { type: 'object', properties: { query: { type: 'string' }, maximum: { type: 'integer' } } },
          }
        : tool,
    ),
  }

  it('is denied until tool and policy agree again, while other tools go on', () => {
    const engine = createCedarPolicyEngine()
    const check = engine.install([{ file: 'a.cedar', text }], renamed, 'deny-affected')
    expect(check).toMatchObject({
      ok: true,
      problems: [
        { severity: 'warning', line: 2, message: 'no tool in the scope of this policy has an argument "limit"' },
      ],
    })
    const bulk = policyRequest({ arguments: { query: 'x', maximum: 100_000 } })
    expect(engine.decide(bulk)).toMatchObject({
      effect: 'deny',
      basis: 'error',
      errors: [{ policyId: 'a.cedar#no-bulk' }],
    })
    expect(engine.isVisible({ principal: bulk.principal, action: 'call', resource: bulk.resource })).toBe(false)
    expect(engine.decide(policyRequest({ resource: { id: 'demo/leads-drop' }, arguments: { id: '1' } }))).toMatchObject(
      { effect: 'allow' },
    )
    expect(engine.install([{ file: 'a.cedar', text }], demoVocabulary, 'deny-affected')).toMatchObject({
      ok: true,
      problems: [],
    })
    expect(engine.decide(policyRequest())).toMatchObject({ effect: 'allow' })
  })

  it('slips past a forbid that tests for the old name if nobody checks again: the control', () => {
    const answer = isAuthorized({
      principal: { type: 'Agent', id: 'demo/analyst' },
      action: { type: 'Action', id: 'call' },
      resource: { type: 'Tool', id: 'demo/leads-top' },
      context: { args: { query: 'x', maximum: 100_000 } },
      policies: {
        staticPolicies:
          'permit (principal, action, resource); forbid (principal, action, resource) when { context.args has limit && context.args.limit > 100 };',
      },
      entities: [],
    })
    expect(answer).toMatchObject({ response: { decision: 'allow', diagnostics: { errors: [] } } })
  })
})
