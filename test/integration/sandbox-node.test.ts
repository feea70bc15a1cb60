import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  sandboxConfigSchema,
  startSandbox,
  type Sandbox,
  type SandboxEvents,
  type SandboxLimits,
  type SandboxOutcome,
} from '../../src/sandbox/index.ts'
import { answerOf, specOf } from '../attacks/sandbox/hosted-code.ts'
import { engineUnderTest } from '../support/engine-under-test.ts'

describe.each(['fast', 'fresh'] as const)('TypeScript on Node, mode %s', (mode) => {
  let sandbox: Sandbox
  const settings = { ...engineUnderTest, mode, typescriptRuntime: 'node' }

  beforeAll(async () => {
    sandbox = await startSandbox(sandboxConfigSchema.parse(settings))
  })

  afterAll(async () => {
    await sandbox.close()
  })

  /** Without the tools of other probes, which call the C library as only Bun can. */
  const run = async (
    code: string,
    { input = {}, limits = {}, ...events }: SandboxEvents & { input?: unknown; limits?: Partial<SandboxLimits> } = {},
  ): Promise<SandboxOutcome> =>
    await sandbox.run(
      { ...specOf('typescript', '', input, limits), files: new Map([['main.ts', Buffer.from(code)]]) },
      events,
    )

  test('runs on Node, with types, enums and the module of the platform', async () => {
    const code = `
import { log } from 'mcpworks'
enum Unit { Gram = 'g' }
export const main = (input: { n: number }) => { log('hello'); return { v: process.versions.node, bun: 'bun' in process.versions, n: input.n * 2, unit: Unit.Gram } }`
    const logs: string[] = []
    const outcome = await run(code, {
      input: { n: 21 },
      onLog: (_, text) => void logs.push(text),
    })
    expect(answerOf(outcome)).toMatchObject({ v: process.versions.node, bun: false, n: 42, unit: 'g' })
    expect(logs).toEqual(['hello'])
  })

  test('can start no program, reach no network and read nothing of the host', async () => {
    const code = `
import { spawnSync } from 'node:child_process'
import { connect } from 'node:net'
import { readFileSync, readdirSync } from 'node:fs'
import { once } from 'node:events'
const code = (action: () => unknown) => { try { action(); return 'done' } catch (error) { return (error as { code: string }).code } }
export const main = async () => ({
  program: (spawnSync('/usr/bin/node', ['--version']).error as { code?: string } | undefined)?.code ?? 'done',
  network: await once(connect(80, '127.0.0.1'), 'connect').then(() => 'done', (error) => error.code),
  passwd: code(() => readFileSync('/etc/passwd')),
  proc: code(() => readdirSync('/proc')),
  scratch: code(() => readdirSync('/tmp')),
})`
    expect(answerOf(await run(code))).toMatchObject({
      program: expect.stringMatching(/^(?:EPERM|EACCES)$/),
      network: 'EACCES',
      passwd: 'ENOENT',
      proc: 'ENOENT',
      scratch: 'done',
    })
  })

  test.each([
    ['memory', 'const kept = []; export const main = () => { for (;;) kept.push(new Array(1e5).fill(Math.random())) }'],
    ['wall', 'export const main = () => new Promise((resolve) => setTimeout(resolve, 60000))'],
    ['cpu', 'export const main = () => { for (;;); }'],
  ] as const)('that breaks the limit %s is ended by it', async (limit, code) => {
    const limits = {
      memoryBytes: 96 << 20,
      wallMs: limit === 'wall' ? 300 : 20_000,
      cpuMs: limit === 'cpu' ? 200 : 20_000,
    }
    expect(await run(code, { limits })).toMatchObject({ status: 'limit', limit })
    expect(await run('export const main = () => 1')).toMatchObject({ resultJson: '1' })
  })
})
