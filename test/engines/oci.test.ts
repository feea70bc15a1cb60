import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sandboxConfigSchema, startSandbox } from '../../src/sandbox/index.ts'
import type {
  Runtime,
  Sandbox,
  SandboxEvents,
  SandboxLimits,
  SandboxOutcome,
  SandboxSpec,
} from '../../src/sandbox/index.ts'
import { isRunning } from '../support/is-running.ts'
import { until } from '../support/own-groups.ts'

const mebibyte = 1024 * 1024
const sleeper = 'import mcpworks, time\ndef main(_):\n  mcpworks.log("up")\n  time.sleep(600)'
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

function specOf(runtime: Runtime, code: string, own: Partial<SandboxLimits> = {}): SandboxSpec {
  const file = runtime === 'python' ? 'main.py' : 'main.ts'
  const files = new Map([[file, Buffer.from(code)]])
  const entry = { file, name: 'main' }
  return { id: 'x', runtime, files, entry, inputJson: '{"n":21}', limits: { ...limits, ...own } }
}

/** Processes below one, in every generation. */
function below(pid: number): number[] {
  try {
    return readdirSync(`/proc/${String(pid)}/task`).flatMap((thread) =>
      readFileSync(`/proc/${String(pid)}/task/${thread}/children`, 'latin1')
        .split(' ')
        .filter(Boolean)
        .flatMap((child) => [Number(child), ...below(Number(child))]),
    )
  } catch {
    return []
  }
}

/** None where it ended after it was listed. */
function words(pid: number): string[] {
  try {
    return readFileSync(`/proc/${String(pid)}/cmdline`, 'latin1').split('\0')
  } catch {
    return []
  }
}

const isExecutor = (pid: number): boolean => words(pid).some((word) => word.includes('executor/main'))

async function untilGone(pids: readonly number[]): Promise<void> {
  while (pids.some(isRunning)) await pause(5)
}

function theOne(pids: readonly number[], word: string): number {
  const found = pids.find((pid) => words(pid).some((each) => each.includes(word)))
  if (found === undefined) throw new Error(`no process with ${word}`)
  return found
}

describe.each(['crun', 'runc', 'runsc'])('the engine %s', (engine) => {
  let sandbox: Sandbox

  beforeAll(async () => {
    sandbox = await startSandbox(sandboxConfigSchema.parse({ engine, mode: 'fresh', concurrency: 4 }))
  })

  afterAll(async () => {
    await sandbox.close()
    expect(below(process.pid)).toEqual([])
  })

  async function run(
    runtime: Runtime,
    code: string,
    own: Partial<SandboxLimits> = {},
    events: SandboxEvents = {},
  ): Promise<SandboxOutcome> {
    return await sandbox.run(specOf(runtime, code, own), events)
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

  test('is killed with all it started when the call is cancelled, whether it runs or is still being made', async () => {
    const up = Promise.withResolvers<undefined>()
    const running = new AbortController()
    const outcome = run('python', sleeper, {}, { signal: running.signal, onLog: () => up.resolve(undefined) })
    await up.promise
    running.abort()
    expect(await outcome).toMatchObject({ status: 'killed', reason: 'cancelled' })
    const early = Array.from({ length: 4 }, async (_, index) => {
      const abort = new AbortController()
      const made = run('python', sleeper, {}, { signal: abort.signal })
      await pause(index * 15)
      abort.abort()
      return await made
    })
    for (const each of await Promise.all(early)) expect(each).toMatchObject({ status: 'killed', reason: 'cancelled' })
    // What a runtime had made when it was killed ends by itself.
    await until(
      () => !below(process.pid).some((pid) => words(pid).some((word) => /runner\/main|\/bundles\//.test(word))),
    )
    expect(await run('python', 'def main(_): return 1')).toMatchObject({ resultJson: '1' })
  })

  test('leaves neither bundle nor state of a jail that is gone', async () => {
    const cell = theOne(below(process.pid), '/cat')
    const directory = `/proc/${String(cell)}/root/dev/shm`
    expect(readdirSync(directory).toSorted()).toEqual(['bundles', 'dev', 'python', 'state', 'typescript'])
    // A runtime that was stopped while it made a jail takes back what it had made by itself.
    await until(() => readdirSync(`${directory}/bundles`).length + readdirSync(`${directory}/state`).length === 0)
  })

  test('ends with everything in it when its executor is killed, while jails run and while they are made', async () => {
    const up = Promise.withResolvers<undefined>()
    const outcomes = [run('python', sleeper, {}, { onLog: () => up.resolve(undefined) })]
    await up.promise
    for (let each = 0; each < 3; each += 1) outcomes.push(run('python', sleeper))
    const started = below(process.pid)
    expect(started.filter((pid) => words(pid).some((word) => word.includes('/bundles/'))).length).toBeGreaterThan(0)
    process.kill(theOne(started, 'executor/main'), 'SIGKILL')
    for (const outcome of await Promise.all(outcomes))
      expect(outcome).toMatchObject({ status: 'killed', reason: 'executor-lost' })
    await untilGone(started)
    while (!sandbox.isReady()) await pause(5)
    expect(await run('python', 'def main(_): return 1')).toMatchObject({ resultJson: '1' })
  })
})

describe('the namespaces that all jails of an executor are in', () => {
  test('are made anew, with another executor, when they are ended from outside', async () => {
    const sandbox = await startSandbox(sandboxConfigSchema.parse({ engine: 'crun', mode: 'fresh' }))
    const run = async (code: string, events: SandboxEvents = {}): Promise<SandboxOutcome> =>
      await sandbox.run(specOf('python', code), events)
    const up = Promise.withResolvers<undefined>()
    const outcome = run(sleeper, { onLog: () => up.resolve(undefined) })
    await up.promise
    const started = below(process.pid)
    process.kill(theOne(started, '/cat'), 'SIGKILL')
    expect((await outcome).status).toBe('killed')
    await untilGone(started)
    // Until another has been started, the sandbox may not have heard of the end of this one.
    await until(() => below(process.pid).some(isExecutor) && sandbox.isReady())
    expect(await run('def main(_): return 1')).toMatchObject({ resultJson: '1' })
    await sandbox.close()
  })
})

describe('Kata Containers', () => {
  test('are refused, with a reason and what to do instead', async () => {
    const started = startSandbox(sandboxConfigSchema.parse({ engine: 'kata' }))
    await expect(started).rejects.toThrow(/kata cannot be used: .+ Type: set sandbox\.engine to runsc/s)
  })
})

describe('an OCI runtime that is not what it is said to be', () => {
  test.each([
    ['crun', '/nonexistent/crun', 'there is no program /nonexistent/crun. Type: apt-get install crun'],
    ['crun', '/usr/sbin/runc', 'crun cannot be used: it says of itself: runc version'],
  ])('is refused for %s (%s)', async (engine, ociRuntimePath, message) => {
    const config = sandboxConfigSchema.parse({ engine, ociRuntimePath })
    await expect(startSandbox(config)).rejects.toThrow(message)
    expect(below(process.pid)).toEqual([])
  })
})
