import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sha256, type JsonObject } from '../../src/kernel/index.ts'
import { ShadowThread } from '../../src/app/shadow/shadow-thread.ts'
import { textOutcome, toolEntry } from '../support/echo-entries.ts'
import { startTestApp, toolResult, type TestApp } from '../support/running-app.ts'

const schema: JsonObject = { type: 'object', properties: { limit: { type: 'integer' } }, required: ['limit'] }
const entries = [toolEntry('export', () => textOutcome('done'), 'demo', schema)]

const policies = (most: number, groups = 'analysts'): string => `
@id("export")
permit (principal in AgentGroup::"demo/${groups}", action == Action::"call", resource == Tool::"demo/export");
@id("no-bulk")
forbid (principal, action == Action::"call", resource == Tool::"demo/export") when { context.args.limit > ${most} };
`

let test: TestApp
let dataDirectory: string
let analyst: string
let intern: string
beforeAll(async () => {
  dataDirectory = await mkdtemp(join(tmpdir(), 'mcpworks-shadow-'))
  test = await startTestApp({ entries, dataDirectory })
  await test.apply('demo', {
    'namespace.yaml':
      'namespace: demo\nagents:\n  - name: analyst\n    groups: [analysts]\n  - name: intern\n    groups: [interns]\n',
    'policies/a.cedar': policies(25),
  })
  analyst = await test.key('demo', 'analyst')
  intern = await test.key('demo', 'intern')
})
afterAll(async () => {
  await test.close()
  await rm(dataDirectory, { recursive: true, force: true })
})

function set(text: string): Promise<JsonObject> {
  return test.manage('demo', 'shadow.set', {
    namespace: 'demo',
    files: [{ path: 'a.cedar', text }],
    comment: 'tighter',
  })
}

const show = (): Promise<JsonObject> => test.manage('demo', 'audit.shadow', { namespace: 'demo' })

async function exported(key: string, limit: number): Promise<boolean> {
  const { message } = await test.call(key, 'demo', 'export', { limit })
  return message.error === undefined && !toolResult(message).isError
}

async function records(kind: string): Promise<JsonObject[]> {
  const { records: found } = await test.manage('demo', 'audit.tail', { namespace: 'demo', kind, limit: 100 })
  return (found as JsonObject[]).map(({ record }) => (record as JsonObject).event as JsonObject)
}

describe('policies that are tried', () => {
  it('have no say, and what they would have decided is told with the rules and the calls', async () => {
    const { policySetHash } = await set(policies(10, 'interns'))
    expect(await exported(analyst, 5)).toBe(true)
    expect(await exported(analyst, 15)).toBe(true)
    expect(await exported(analyst, 30)).toBe(false)
    expect(await exported(intern, 5)).toBe(false)
    const report = await show()
    expect(report).toMatchObject({
      shadow: { policySetHash, setBy: 'operator', comment: 'tighter', stopped: null },
      newlyAllowed: { count: 0 },
      newlyDenied: {
        count: 2,
        groups: [
          { before: { basis: 'permit', by: ['a.cedar#export'] }, after: { basis: 'default-deny', by: [] }, count: 1 },
          { before: { basis: 'permit', by: ['a.cedar#export'] }, after: { basis: 'forbid', by: ['a.cedar#no-bulk'] } },
        ],
      },
      newlyVisible: { count: 1, groups: [{ examples: [{ principal: 'demo/intern', target: 'export' }] }] },
      missed: {},
      complete: true,
    })
    const denied = (report.newlyDenied as { groups: { examples: { call: string }[] }[] }).groups[1]?.examples[0]?.call
    const { text } = await test.manage('demo', 'audit.why', { namespace: 'demo', call: denied ?? '' })
    expect(text).toMatch(/^ALLOWED/)
    expect(text).toContain(', tried beside these, would have denied it: a.cedar#no-bulk\n')
    const record = await records('shadow')
    expect(record.map(({ type }) => type)).toContain('shadow-decisions')
    expect(JSON.stringify(record)).not.toContain('limit')
  })

  it('follow a change of the tools', async () => {
    const { decided } = await show()
    test.app.catalogue.replaceService('demo', 'export', [
      toolEntry('export', () => textOutcome('done'), 'demo', {
        ...schema,
        properties: { limit: { type: 'integer' }, more: { type: 'string' } },
      }),
    ])
    await test.call(analyst, 'demo', 'export', { limit: 5, more: 'x' })
    const report = await show()
    expect([Number(report.decided) > Number(decided), report.missed]).toEqual([true, {}])
  })

  it('are tried on after a restart, and end when they are cleared, each with a record', async () => {
    await test.close()
    test = await startTestApp({ entries, dataDirectory })
    const before = Number((await show()).decided)
    expect(await exported(analyst, 15)).toBe(true)
    const report = await show()
    expect(Number(report.decided)).toBeGreaterThan(before)
    await test.manage('demo', 'shadow.clear', { namespace: 'demo' })
    expect(await show()).toEqual({ namespace: 'demo', shadow: null })
    expect((await records('policy-change')).map(({ type }) => type)).toEqual([
      'activated',
      'shadow-set',
      'shadow-cleared',
    ])
  })

  it('are refused where they have mistakes', async () => {
    await expect(set('permit (principal, action, resource) when { context.nope };')).rejects.toThrow('policy_invalid')
    expect(await show()).toEqual({ namespace: 'demo', shadow: null })
  })
})

describe('the thread in which they decide', () => {
  const vocabulary = { namespace: 'demo', tools: [{ name: 'export', service: 'export', inputSchema: schema }] }
  const asked = (limit: number): string =>
    JSON.stringify({
      call: `call-${limit}`,
      request: {
        principal: { type: 'agent', id: 'demo/analyst', namespace: 'demo', groups: ['analysts'] },
        action: 'call',
        resource: { type: 'Tool', id: 'demo/export', namespace: 'demo', service: 'export' },
        arguments: { limit },
        context: {
          authentication: { method: 'api-key', senderConstrained: false },
          door: 'tool',
          operation: '',
          labels: [],
          timeMs: 1_780_000_000_000,
          address: '127.0.0.1',
        },
      },
      inForce: {
        effect: 'allow',
        basis: 'permit',
        determining: [{ id: 'a.cedar#export', textHash: sha256('another'), reason: null, remedy: null }],
        errors: [],
        obligations: [],
      },
    })

  it('takes so many calls and no more, and says so at once', async () => {
    const seen: string[] = []
    const thread = new ShadowThread({
      decided: (verdicts) =>
        seen.push(...verdicts.map(({ call, difference }) => `${call} ${difference?.kind ?? 'same'}`)),
      ended: () => seen.push('ended'),
    })
    thread.install([{ file: 'a.cedar', text: policies(10) }], vocabulary)
    const taken = Array.from({ length: 2_001 }, (_, limit) => thread.decide(asked(limit)))
    expect([taken.indexOf(false), taken.filter(Boolean).length]).toEqual([2_000, 2_000])
    await thread.settle()
    expect(thread.decide(asked(1))).toBe(true)
    await thread.close()
    expect(seen.slice(9, 12)).toEqual(['call-9 same', 'call-10 same', 'call-11 newlyDenied'])
    expect(seen).toHaveLength(2_001)
  })

  it('ends where policies break its engine, names whose they are, and takes nothing from then on', async () => {
    const ends: (string | null)[] = []
    const { promise, resolve } = Promise.withResolvers<void>()
    const thread = new ShadowThread({
      decided: () => {},
      ended: (namespace) => {
        ends.push(namespace)
        resolve()
      },
    })
    thread.install([{ file: 'a.cedar', text: 'permit (' }], vocabulary)
    await promise
    expect([ends, thread.decide(asked(1))]).toEqual([['demo'], false])
    await thread.settle()
    await thread.close()
    expect(ends).toEqual(['demo'])
  })
})
