import { execFile } from 'node:child_process'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { JsonObject } from '../../src/kernel/index.ts'
import { textOutcome, toolEntry } from '../support/echo-entries.ts'
import { startTestApp, type TestApp } from '../support/running-app.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

const exportSchema: JsonObject = {
  type: 'object',
  properties: { limit: { type: 'integer' }, to: { type: 'string' }, share: { type: 'number' } },
  required: ['limit'],
}

const policies = (most: number): string => `
@id("analysts-export")
permit (principal in AgentGroup::"demo/analysts", action == Action::"call", resource == Tool::"demo/export");
@id("no-bulk")
@reason("Ask for less.")
forbid (principal, action == Action::"call", resource == Tool::"demo/export") when { context.args.limit > ${most} };
`

let test: TestApp
let first: string
beforeAll(async () => {
  test = await startTestApp({ entries: [toolEntry('export', () => textOutcome('done'), 'demo', exportSchema)] })
  first = await apply(policies(25))
  const analyst = await test.key('demo', 'analyst')
  const intern = await test.key('demo', 'intern')
  for (const limit of [5, 15, 20, 30]) await test.call(analyst, 'demo', 'export', { limit })
  // Hidden from interns, broken arguments, and one that is too long to be kept: none can be decided again.
  await test.call(intern, 'demo', 'export', { limit: 1 })
  await test.call(analyst, 'demo', 'export', { limit: 'many' })
  await test.call(analyst, 'demo', 'export', { limit: 1, to: 'x'.repeat(70_000) })
})
afterAll(() => test.close())

async function apply(text: string): Promise<string> {
  const answer = await test.apply('demo', {
    'namespace.yaml':
      'namespace: demo\nagents:\n  - name: analyst\n    groups: [analysts]\n  - name: intern\n    groups: [interns]\n',
    'policies/a.cedar': text,
  })
  return String(answer.policySetHash)
}

/** `mcpworks policy replay` as a person types it. */
function policyReplay(...args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const command = [join(root, 'src/cli/main.ts'), 'policy', 'replay', ...args, '-n', 'demo']
  const env = { ...process.env, MCPWORKS_DATA_DIRECTORY: test.dataDirectory }
  return new Promise((resolve) => {
    execFile(process.execPath, command, { env }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    )
  })
}

/** Ids of the calls that policy was asked about, oldest first. */
async function decidedCalls(): Promise<string[]> {
  const { records } = await test.manage('demo', 'audit.tail', { namespace: 'demo', kind: 'decision', limit: 100 })
  return (records as JsonObject[])
    .filter(
      ({ record }) => JSON.stringify(record).includes('"engine":{') && JSON.stringify(record).includes('"tools/call"'),
    )
    .map(({ call }) => String(call))
}

function replay(text: string): Promise<JsonObject> {
  const files = [{ path: 'a.cedar', text }]
  return test.manage('demo', 'audit.replay', { namespace: 'demo', files, sinceSeconds: 3600 })
}

async function policyFolder(text: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'mcpworks-policies-'))
  await writeFile(join(directory, 'a.cedar'), text)
  return directory
}

describe('mcpworks policy replay', () => {
  it('tells which recorded calls would come out differently, by rule and with the calls, and exits with 1', async () => {
    const { code, out } = await policyReplay('--since', '1h', '--with', await policyFolder(policies(10)))
    const [, at15, at20] = await decidedCalls()
    const lines = out.split('\n')
    const denied = lines.indexOf('NEWLY DENIED: 2')
    expect(lines[denied + 1]).toBe('  2 x forbid by a.cedar#no-bulk, was permit by a.cedar#analysts-export')
    expect(lines.slice(denied + 2, denied + 4).map((line) => line.trim().slice(0, 36))).toEqual([at20, at15])
    expect(out).not.toContain('NEWLY ALLOWED')
    expect(out).not.toContain('MISMATCHES')
    expect(code).toBe(1)
  })

  it('says what cannot be decided again and why', async () => {
    const { notReplayed } = await replay(policies(25))
    expect((notReplayed as JsonObject[]).map(({ why, count }) => `${String(count)} ${String(why)}`).sort()).toEqual([
      '1 body-too-large',
      '1 hidden',
      '1 invalid-arguments',
    ])
  })

  it('tells what would be allowed that was not, and fails a build for that alone where it is asked to', async () => {
    const directory = await policyFolder(policies(100))
    const { code, out } = await policyReplay('--since', '1h', '--with', directory, '--fail-on', 'newly-allowed')
    expect(out).toContain('NEWLY ALLOWED: 1\n  1 x permit by a.cedar#analysts-export, was forbid by a.cedar#no-bulk\n')
    expect(out).not.toContain('NO LONGER HIDDEN')
    expect(code).toBe(1)
    expect(await policyReplay('--since', '1h', '--with', directory, '--fail-on', 'newly-denied')).toMatchObject({
      code: 0,
    })
  })

  it('tells of a tool that was hidden and would not be, without knowing what would be decided', async () => {
    const report = await replay(policies(25).replace('principal in AgentGroup::"demo/analysts"', 'principal'))
    expect(report.newlyVisible).toMatchObject({
      count: 1,
      groups: [
        {
          before: { basis: 'hidden' },
          after: { basis: 'visible' },
          examples: [{ principal: 'demo/intern', target: 'export' }],
        },
      ],
    })
  })

  it('finds nothing to tell where the policies are those that decided', async () => {
    const { code, out } = await policyReplay('--since', '1h', '--policy-set', first, '--json')
    const answer = JSON.parse(out) as JsonObject & { decisions: number; replayed: number }
    expect(answer).toMatchObject({
      policySetHash: first,
      newlyAllowed: { count: 0 },
      newlyDenied: { count: 0 },
      otherReasons: { count: 0 },
      mismatches: { count: 0 },
      unchanged: answer.replayed,
      complete: true,
    })
    expect(answer.replayed).toBeGreaterThanOrEqual(4)
    expect(code).toBe(0)
  })

  it('refuses policies that have mistakes, with the place, and puts nothing in force', async () => {
    const mistaken = replay(policies(10).replace('args.limit', 'args.limits'))
    await expect(mistaken).rejects.toThrow(/policy_invalid.*"a\.cedar","line":6,"column":\d+/)
    const { policySetHash } = await test.manage('demo', 'policy.show', { namespace: 'demo' })
    expect(policySetHash).toBe(first)
  })
})
