import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sandboxConfigSchema, startSandbox, type Runtime, type Sandbox } from '../../src/sandbox/index.ts'
import { run } from '../attacks/sandbox/hosted-code.ts'
import { engineUnderTest } from '../support/engine-under-test.ts'

let sandbox: Sandbox

beforeAll(async () => {
  sandbox = await startSandbox(sandboxConfigSchema.parse({ ...engineUnderTest, mode: 'fresh', concurrency: 4 }))
})

afterAll(async () => {
  await sandbox.close()
})

const nothing: readonly (readonly [Runtime, string])[] = [
  ['python', 'def main(_): return 1'],
  ['typescript', 'export const main = () => 1'],
]

describe('a whole new nsjail for each call', () => {
  test.each(nothing)('runs %s', async (runtime, code) => {
    expect(await run(sandbox, runtime, code)).toMatchObject({
      status: 'ok',
      resultJson: '1',
      engine: 'nsjail',
      profile: `nsjail-${runtime}`,
      stdout: '',
      stderr: '',
    })
  })

  test('tells what ended the code: its exit, the filter, a limit', async () => {
    expect(await run(sandbox, 'python', 'def main(_): os._exit(7)')).toMatchObject({
      status: 'exception',
      kind: 'ProcessExit',
      message: expect.stringContaining('exit code 7') as string,
      stderr: '',
    })
    expect(await run(sandbox, 'python', 'def main(_): call(272, 0)')).toMatchObject({
      status: 'killed',
      reason: 'filter',
      stderr: '',
    })
    const endless = 'def main(_):\n  while True: pass'
    expect(await run(sandbox, 'python', endless, { limits: { wallMs: 300 } })).toMatchObject({
      status: 'limit',
      limit: 'wall',
    })
    const greedy = 'export const main = () => { const held = []; for (;;) held.push(Buffer.alloc(1 << 20, 1)) }'
    expect(await run(sandbox, 'typescript', greedy, { limits: { memoryBytes: 128 << 20 } })).toMatchObject({
      status: 'limit',
      limit: 'memory',
    })
  })

  test('answers 24 calls at once, 4 at a time', async () => {
    const calls = Array.from({ length: 24 }, async (_, index) => {
      const [runtime, code] = nothing[index % 2] ?? ['python', '']
      return await run(sandbox, runtime, code)
    })
    for (const outcome of await Promise.all(calls)) expect(outcome).toMatchObject({ status: 'ok' })
  })
})
