import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { JsonObject } from '../../src/kernel/index.ts'
import { textOutcome, toolEntry } from '../support/echo-entries.ts'
import { startTestApp, type TestApp } from '../support/running-app.ts'
import { mcpworks, type CommandResult } from '../support/server-process.ts'

const namespace = `namespace: demo
agents:
  - name: analyst
    groups: [analysts]
  - name: intern
`
const policies = `
@id("small") permit (principal in AgentGroup::"demo/analysts", action == Action::"call", resource == Tool::"demo/export")
when { context.args.limit <= 25 && context.hour >= 8 };
@id("no-night") forbid (principal, action == Action::"call", resource == Tool::"demo/export") when { context.hour >= 20 };
@id("gone") permit (principal in AgentGroup::"demo/nobody", action == Action::"call", resource == Tool::"demo/export");
@id("dead") permit (principal, action == Action::"call", resource == Tool::"demo/export") when { context.args.limit > 1000 };
@id("no-bulk") forbid (principal, action == Action::"call", resource == Tool::"demo/export") when { context.args.limit > 100 };
`
const schema: JsonObject = {
  type: 'object',
  properties: { limit: { type: 'integer', minimum: 10 }, format: { type: 'string', enum: ['csv', 'json'] } },
  required: ['limit', 'format'],
  additionalProperties: false,
}

let app: TestApp
let scratch: string
const cli = (...args: string[]): Promise<CommandResult> => mcpworks(['--data-directory', app.dataDirectory, ...args])

beforeAll(async () => {
  const act = () => textOutcome('done')
  app = await startTestApp({ entries: [toolEntry('export', act, 'demo', schema), toolEntry('wipe', act)] })
  await app.apply('demo', { 'namespace.yaml': namespace, 'policies/p.cedar': policies })
  scratch = await mkdtemp(join(tmpdir(), 'mcpworks-analysis-'))
})
afterAll(async () => {
  await app.close()
  await rm(scratch, { recursive: true, force: true })
})

describe('policy analyze', () => {
  it('tells what the author cannot have meant, and what is named and not there', async () => {
    const { findings, problems } = await app.manage('demo', 'policy.analyze', { namespace: 'demo' })
    expect((findings as JsonObject[]).map(({ kind, policyId, subject }) => [kind, policyId ?? subject])).toEqual([
      ['no-subject', 'p.cedar#gone'],
      ['always-overridden', 'p.cedar#dead'],
      ['tool-of-nobody', 'demo/wipe'],
    ])
    expect((problems as JsonObject[]).map(({ message }) => message)).toEqual(['there is no agent group "demo/nobody"'])
  })

  it('looks at a directory without putting it in force, and fails a build where it is asked to', async () => {
    await mkdir(join(scratch, 'all'), { recursive: true })
    await writeFile(
      join(scratch, 'all', 'p.cedar'),
      '@id("all") permit (principal in AgentGroup::"demo/analysts", action == Action::"call", resource in Namespace::"demo");',
    )
    const before = await app.manage('demo', 'policy.show', { namespace: 'demo' })
    const loose = await cli('policy', 'analyze', join(scratch, 'all'), '-n', 'demo')
    const strict = await cli('policy', 'analyze', join(scratch, 'all'), '-n', 'demo', '--strict')
    expect([loose.code, strict.code]).toEqual([0, 1])
    expect(loose.stdout).toContain('agent-of-everything  demo/analyst: The agent demo/analyst may call every tool')
    expect(loose.stdout).toContain('Looked at 1 policies, 2 agents, 2 tools.')
    expect(await app.manage('demo', 'policy.show', { namespace: 'demo' })).toEqual(before)
  })
})

describe('policy can', () => {
  const can = (agent: string, tool: string): Promise<JsonObject> =>
    app.manage('demo', 'policy.can', { namespace: 'demo', agent, tool })

  it('finds a call that fits the schema and is allowed, which stands as a case of policy test', async () => {
    const answer = await can('analyst', 'export')
    expect(answer).toMatchObject({ answer: 'yes', rules: ['p.cedar#small'] })
    const found = answer.case as { args: { limit: number; format: string } }
    expect(found.args.format).toBe('csv')
    expect(found.args.limit).toBeGreaterThanOrEqual(10)
    const { results } = await app.manage('demo', 'policy.test', {
      namespace: 'demo',
      cases: [{ name: 'the witness', agent: 'analyst', tool: 'export', expect: 'allow', ...found }],
    })
    expect(results).toMatchObject([{ problems: [] }])
  })

  it('proves that there is none, and says why', async () => {
    expect(await can('intern', 'export')).toMatchObject({
      answer: 'no',
      because: [{ permit: 'p.cedar#dead', why: 'always-forbidden', forbids: ['p.cedar#no-bulk'] }],
    })
    expect(await can('analyst', 'wipe')).toMatchObject({ answer: 'no', because: [{ why: 'no-permit' }] })
  })

  it('counts what the schema does not take as impossible', async () => {
    const files = [
      {
        path: 'p.cedar',
        text: '@id("few") permit (principal, action == Action::"call", resource == Tool::"demo/export") when { context.args.limit < 10 || context.args.format == "xml" };',
      },
    ]
    expect(
      await app.manage('demo', 'policy.can', { namespace: 'demo', agent: 'intern', tool: 'export', files }),
    ).toMatchObject({
      answer: 'no',
      because: [{ permit: 'p.cedar#few', why: 'never-true' }],
    })
  })

  it('answers on the command line, and fails a build that expects otherwise', async () => {
    const yes = await cli('policy', 'can', 'analyst', 'export', '-n', 'demo')
    expect(yes.stdout).toMatch(
      /^yes: demo\/analyst can call export, by p\.cedar#small\. This call is allowed:\n  args: /u,
    )
    const no = await cli('policy', 'can', 'intern', 'export', '-n', 'demo', '--expect', 'yes')
    expect([no.code, no.stdout]).toEqual([
      1,
      'no: there is no call with which demo/intern can call export.\n  p.cedar#dead: whatever it permits is forbidden by p.cedar#no-bulk.\n',
    ])
  })

  it('refuses agents and tools that are not there', async () => {
    await expect(can('nobody', 'export')).rejects.toThrow('There is no agent demo/nobody')
    await expect(can('analyst', 'none')).rejects.toThrow('has no tool none')
  })
})

describe('policy explain', () => {
  it('says who may call a tool, and of a default deny what came closest', async () => {
    const who = await cli('policy', 'explain', '--tool', 'export', '-n', 'demo')
    expect(who.stdout).toMatch(/demo\/analyst +export +conditional/u)
    expect(who.stdout).toMatch(/0 always, \d conditional, \d never/u)
    const args = '{"limit": 50, "format": "csv"}'
    const why = await cli('policy', 'explain', '--agent', 'intern', '--tool', 'export', '--args', args, '-n', 'demo')
    expect(why.stdout).toContain(
      'p.cedar#small does not cover it: it is for the group demo/analysts, and demo/intern is not',
    )
    expect(why.stdout).toContain('the argument limit is more than 1000  [context.args.limit > 1000]')
    expect(why.stdout).not.toContain('50')
  })
})
