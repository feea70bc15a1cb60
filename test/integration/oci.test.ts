import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sandboxConfigSchema, startSandbox } from '../../src/sandbox/index.ts'
import type { Runtime, Sandbox, SandboxEvents, SandboxLimits, SandboxOutcome } from '../../src/sandbox/index.ts'

const mebibyte = 1024 * 1024
const limits: SandboxLimits = {
  wallMs: 30_000,
  cpuMs: 30_000,
  memoryBytes: 512 * mebibyte,
  processes: 16,
  openFiles: 64,
  scratchBytes: mebibyte,
  resultBytes: 65_536,
  outputBytes: 1000,
  innerCalls: 0,
}

/** Processes that work for this one: its executors, their cells, runtimes and jails. */
function processesBelow(): string[] {
  const below = (pid: number): string[] =>
    readdirSync(`/proc/${String(pid)}/task`).flatMap((thread) =>
      readFileSync(`/proc/${String(pid)}/task/${thread}/children`, 'latin1')
        .split(' ')
        .filter(Boolean)
        .flatMap((child) => [child, ...below(Number(child))]),
    )
  return below(process.pid)
}

describe.each(['crun', 'runc', 'runsc'])('the engine %s', (engine) => {
  let sandbox: Sandbox

  beforeAll(async () => {
    sandbox = await startSandbox(sandboxConfigSchema.parse({ engine, mode: 'fresh', concurrency: 4 }))
  })

  afterAll(async () => {
    await sandbox.close()
    expect(processesBelow()).toEqual([])
  })

  async function run(
    runtime: Runtime,
    code: string,
    own: Partial<SandboxLimits> = {},
    events: SandboxEvents = {},
  ): Promise<SandboxOutcome> {
    const file = runtime === 'python' ? 'main.py' : 'main.ts'
    const files = new Map([[file, Buffer.from(code)]])
    const entry = { file, name: 'main' }
    return await sandbox.run(
      { id: 'x', runtime, files, entry, inputJson: '{"n":21}', limits: { ...limits, ...own } },
      events,
    )
  }

  test('has tested a real jail of each runtime before it takes calls', () => {
    const { engine: name, version, checks, profiles } = sandbox.describe()
    expect(name).toBe(engine)
    expect(version).toMatch(/^\d+\.\d+/)
    expect(checks.length).toBeGreaterThan(25)
    expect(checks.filter((check) => !check.ok)).toEqual([])
    expect(profiles?.python.name).toBe(`${engine}-python`)
  })

  test('gives a function its input and returns its value and its output, in both runtimes', async () => {
    const answer = { status: 'ok', resultJson: '42', stdout: 'out\n', stderr: 'err\n', engine }
    const python =
      'import sys\ndef main(input):\n  print("out"); print("err", file=sys.stderr)\n  return input["n"] * 2'
    expect(await run('python', python)).toMatchObject({ ...answer, profile: `${engine}-python` })
    const typescript =
      'export const main = (input: { n: number }) => { console.log("out"); console.error("err"); return input.n * 2 }'
    expect(await run('typescript', typescript)).toMatchObject({ ...answer, profile: `${engine}-typescript` })
  })

  test.each([
    ['wall', 'import time\ndef main(_): time.sleep(1e6)', { wallMs: 200 }],
    ['cpu', 'def main(_):\n  while True: pass', { cpuMs: 200 }],
    [
      'memory',
      'def main(_):\n  held = []\n  while True: held.append(bytearray(1 << 20))',
      { memoryBytes: 64 * mebibyte },
    ],
    ['output', 'def main(_):\n  while True: print("x" * 1000)', {}],
    ['scratch', 'def main(_):\n  with open("/tmp/x", "wb") as file:\n    while True: file.write(bytes(65536))', {}],
    ['processes', 'import os\ndef main(_):\n  while True: os.fork()', {}],
  ] as const)('ends at the limit %s and says so', async (limit, code, own) => {
    expect(await run('python', code, own)).toMatchObject({ status: 'limit', limit })
  })
})
