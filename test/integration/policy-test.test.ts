import { execFile } from 'node:child_process'
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readDesiredDirectory } from '../../src/functions/index.ts'
import type { JsonObject } from '../../src/kernel/index.ts'
import { startTestApp, type TestApp } from '../support/running-app.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
let test: TestApp
let directory: string
beforeAll(async () => {
  test = await startTestApp()
  const example = await readDesiredDirectory(join(root, 'examples/leads'))
  if (!example.ok) throw new Error(JSON.stringify(example.problems))
  await test.manage('demo', 'state.apply', {
    namespace: 'demo',
    dryRun: false,
    files: JSON.parse(JSON.stringify(example.state.files)) as JsonObject[],
  })
  directory = await mkdtemp(join(tmpdir(), 'mcpworks-cases-'))
})
afterAll(() => test.close())

/** `mcpworks policy test` as a person types it. */
function policyTest(...args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const command = [join(root, 'src/cli/main.ts'), 'policy', 'test', ...args, '-n', 'demo']
  const env = { ...process.env, MCPWORKS_DATA_DIRECTORY: test.dataDirectory }
  return new Promise((resolve) => {
    execFile(process.execPath, command, { env }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    )
  })
}

async function casesFile(text: string): Promise<string> {
  const path = join(directory, `${crypto.randomUUID()}.yaml`)
  await writeFile(path, text)
  return path
}

describe('mcpworks policy test', () => {
  it('passes the cases of the example under the policies in force', async () => {
    const { code, out } = await policyTest(join(root, 'examples/leads.cases.yaml'))
    expect(out.trimEnd().split('\n').at(-1)).toBe('6 passed, 0 failed')
    expect(code).toBe(0)
  })

  it('says of each case that fails what was decided, by which rule, and exits with 1', async () => {
    const { code, out } = await policyTest(
      await casesFile(`
cases:
  - { name: too much, agent: analyst, tool: leads-export, args: { limit: 500 }, expect: allow }
  - { name: other rule, agent: intern, tool: leads-summary, args: { by: country }, expect: allow, rule: leads.cedar#analysts-use-leads }
  - { name: other words, agent: analyst, tool: leads-export, args: { limit: 26 }, expect: deny, reason: No. }
  - { name: no tool, agent: analyst, tool: leads-erase, expect: deny }
  - { name: no agent, agent: nobody, tool: leads-top, expect: deny }
`),
    )
    expect(out.split('\n')).toEqual([
      'FAILED  too much',
      '        expected allow, decided deny (leads.cedar#no-bulk-export)',
      'FAILED  other rule',
      '        expected the rule leads.cedar#analysts-use-leads, decided by leads.cedar#interns-see-totals',
      'FAILED  other words',
      '        expected the reason "No.", got "Bulk export of contact data needs a person: ask for 25 rows or fewer."',
      'FAILED  no tool',
      '        There is no tool leads-erase in demo.',
      'FAILED  no agent',
      '        There is no agent nobody in demo: add it, or say its groups here.',
      '0 passed, 5 failed',
      '',
    ])
    expect(code).toBe(1)
  })

  it('decides under policies that are not in force yet, and leaves those in force as they are', async () => {
    const policies = await mkdtemp(join(tmpdir(), 'mcpworks-policies-'))
    const inForce = await readFile(join(root, 'examples/leads/policies/leads.cedar'), 'utf8')
    await writeFile(join(policies, 'leads.cedar'), inForce.replace('limit > 25', 'limit > 10'))
    const cases = await casesFile(
      'cases: [{ name: n, agent: analyst, tool: leads-export, args: { limit: 20 }, expect: allow }]',
    )
    expect(await policyTest(cases, '--with', policies)).toMatchObject({ code: 1 })
    expect(await policyTest(cases)).toMatchObject({ code: 0 })
  })

  it('does not take a policy that could not be evaluated for the denial that a case expects', async () => {
    const policies = await mkdtemp(join(tmpdir(), 'mcpworks-policies-'))
    const overflow =
      'permit (principal, action == Action::"call", resource) when { context.hour * 9223372036854775807 > 0 };'
    await writeFile(join(policies, 'a.cedar'), overflow)
    const file =
      'cases: [{ name: n, agent: analyst, tool: leads-summary, args: { by: country }, at: "2026-01-01T05:00:00Z", expect: deny }]'
    const { code, out } = await policyTest(await casesFile(file), '--with', policies)
    expect(out).toContain('could not be decided')
    expect(code).toBe(1)
  })

  it.each([
    ['no YAML', 'cases: [', /:1:\d+: /],
    ['no list', 'tests: []', /:1:1: .*cases/s],
    ['a misspelt name', 'cases:\n  - name: n\n    agent: analyst\n    tol: x\n    expect: deny\n', /:2:5: /],
    ['an unknown effect', 'cases:\n  - name: n\n    agent: analyst\n    tool: x\n    expect: maybe\n', /:5:13: /],
  ])('tells line and column of a mistake: %s', async (_, text, place) => {
    const { code, err } = await policyTest(await casesFile(text))
    expect(err).toMatch(place)
    expect(code).toBe(2)
  })
})
