import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { sandboxConfigSchema, startSandbox, type Sandbox, type SandboxOutcome } from '../../../src/sandbox/index.ts'
import { engineUnderTest } from '../../support/engine-under-test.ts'
import {
  boundMemory,
  jailGroups,
  memoryNumber,
  oomKills,
  processesIn,
  subtrees,
  until,
} from '../../support/own-groups.ts'
import { run } from './hosted-code.ts'

const mebibyte = 1024 * 1024
const limits = { memoryBytes: 64 * mebibyte, scratchBytes: mebibyte }
/** Takes memory faster than any watch looks, and holds it. */
const bomb = `
import { log } from 'mcpworks'
export const main = () => {
  log('up')
  const held: Uint8Array[] = []
  for (let n = 0; n < 400; n++) held.push(new Uint8Array(1 << 20).fill(1))
  for (;;) Bun.sleepSync(1000)
}`
const sibling = `
import mcpworks, time
def main(_):
    held = bytearray(b'x') * (32 << 20)
    mcpworks.log('up')
    while not os.path.exists('/tmp/never'): time.sleep(0.01)
    return 1
`

let sandbox: Sandbox

async function open(cgroups: 'required' | 'off', settings: object = {}): Promise<Sandbox> {
  sandbox = await startSandbox(sandboxConfigSchema.parse({ ...engineUnderTest, cgroups, concurrency: 6, ...settings }))
  return sandbox
}

afterEach(async () => {
  await sandbox.close()
  expect(subtrees()).toEqual([])
})

/** The executor's process, the only child of this one that runs it. */
function executor(): number {
  const found = readdirSync('/proc').find((name) => /^\d+$/.test(name) && isExecutor(name))
  if (found === undefined) throw new Error('there is no executor')
  return Number(found)
}

function isExecutor(pid: string): boolean {
  const read = (file: string): string => {
    try {
      return readFileSync(`/proc/${pid}/${file}`, 'latin1')
    } catch {
      return ''
    }
  }
  return read('cmdline').includes('executor/main') && read('status').includes(`PPid:\t${String(process.pid)}\n`)
}

/** Memory of its own of the largest process below the executor. */
function largestBytes(below: number): number {
  const sizes = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        const status = readFileSync(`/proc/${pid}/status`, 'latin1')
        const isRuntime = /^Name:\s+(?:bun|MainThread)/m.test(status) && ancestorOf(pid, below)
        return isRuntime ? Number(/^RssAnon:\s+(\d+)/m.exec(status)?.[1]) * 1024 : 0
      } catch {
        return 0
      }
    })
  return Math.max(...sizes)
}

const residentBytes = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${String(pid)}/status`, 'latin1'))?.[1]) * 1024

function ancestorOf(pid: string, ancestor: number): boolean {
  for (let each = Number(pid); each > 1;) {
    if (each === ancestor) return true
    each = Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${String(each)}/status`, 'latin1'))?.[1])
  }
  return false
}

/** Runs the bomb, and stops the executor, with its watch, as soon as the bomb's code runs. Answers the outcome to come. */
async function bombUnwatched(target: Sandbox): Promise<{ pid: number; outcome: Promise<SandboxOutcome> }> {
  const pid = executor()
  const up = Promise.withResolvers<undefined>()
  const outcome = run(target, 'typescript', bomb, {
    limits: { ...limits, wallMs: 60_000 },
    onLog: () => {
      process.kill(pid, 'SIGSTOP')
      up.resolve(undefined)
    },
  })
  await up.promise
  return { pid, outcome }
}

describe('a function that takes memory while nothing watches it', () => {
  test('is ended by the kernel at its bound, told as that, and its sibling works on', async () => {
    const target = await open('required')
    const beside = new AbortController()
    const siblingUp = Promise.withResolvers<undefined>()
    const other = run(target, 'python', sibling, {
      signal: beside.signal,
      onLog: () => siblingUp.resolve(undefined),
    })
    await siblingUp.promise
    const { pid, outcome } = await bombUnwatched(target)
    await until(() => jailGroups('memory').some((group) => oomKills(group) > 0))
    process.kill(pid, 'SIGCONT')
    const ended = await outcome
    expect(ended).toMatchObject({ status: 'limit', limit: 'memory', message: 'memory: 64 MiB reached' })
    // Its bound, its two tmpfs, and what a runtime may need.
    expect(ended.usage.peakMemoryBytes).toBeLessThanOrEqual((64 + 1 + 4 + 64) * mebibyte)
    const alive = jailGroups('memory').filter((group) => processesIn(group).length > 0)
    // Its group is among those of jails that wait.
    expect(Math.max(...alive.map((group) => memoryNumber(group, 'memory.current')))).toBeGreaterThan(32 * mebibyte)
    beside.abort()
    expect(await other).toMatchObject({ status: 'killed', reason: 'cancelled' })
    expect(await run(target, 'python', 'def main(_): return 1')).toMatchObject({ status: 'ok' })
  })

  test('goes far beyond its bound where cgroups are off (the control)', async () => {
    const { pid, outcome } = await bombUnwatched(await open('off'))
    await until(() => largestBytes(pid) > 200 * mebibyte)
    process.kill(pid, 'SIGCONT')
    expect(await outcome).toMatchObject({ status: 'limit', limit: 'memory' })
  })

  test('goes a little beyond its bound where cgroups are off and the watch looks', async () => {
    const code = bomb.replaceAll("log('up')", '')
    const ended = await run(await open('off'), 'typescript', code, { limits })
    expect(ended).toMatchObject({ status: 'limit', limit: 'memory' })
  })
})

describe('files in memory', () => {
  test('are on the account of the function that wrote them', async () => {
    const target = await open('required')
    const code = 'def main(_):\n  with open("/tmp/x", "wb") as file: file.write(bytes(30 << 20))\n  return 1'
    const { status, usage } = await run(target, 'python', code, { limits: { scratchBytes: 32 * mebibyte } })
    expect(status).toBe('ok')
    expect(usage.peakMemoryBytes).toBeGreaterThan(30 * mebibyte)
    const without = await run(target, 'python', 'def main(_): return 1', { limits: { scratchBytes: 32 * mebibyte } })
    expect(without.usage.peakMemoryBytes).toBeLessThan(20 * mebibyte)
  })
})

describe('threads and processes', () => {
  test('are bounded by the kernel for the jail as a whole, and a bomb of them leaves its sibling alone', async () => {
    const target = await open('required')
    const bounds: string[] = []
    const code =
      'import mcpworks, threading, time\ndef main(_):\n  mcpworks.log("up")\n  while True: threading.Thread(target=time.sleep, args=(60,), daemon=True).start()'
    const [bombed, honest] = await Promise.all([
      run(target, 'python', code, {
        limits: { processes: 16 },
        onLog: () => {
          for (const group of jailGroups('pids'))
            if (processesIn(group).length > 0) bounds.push(readFileSync(join(group, 'pids.max'), 'latin1').trim())
        },
      }),
      run(target, 'python', 'import time\ndef main(_):\n  time.sleep(0.1)\n  return 1'),
    ])
    expect(bombed).toMatchObject({ status: 'limit', limit: 'processes' })
    expect(honest).toMatchObject({ status: 'ok' })
    expect(bounds).toContain(String(16 + 1 + 2))
  })
})

// oxlint-disable-next-line mcpworks/no-conditional-test -- only root may bound the group that its executor is in
describe.runIf(process.getuid?.() === 0)('a host with little memory left', () => {
  test('ends what hosted code takes, never the executor, says why, and works on', async () => {
    const target = await open('required')
    const [whole] = subtrees('memory')
    // The kernel weighs its wish to end jails first by the bound, so what the executor brought into its group, which is on
    // another account, has to be within it, as it is on any host.
    const brought = residentBytes(executor())
    boundMemory(whole ?? '', memoryNumber(whole ?? '', 'memory.current') + brought + 64 * mebibyte)
    const roomy = { memoryBytes: 512 * mebibyte, scratchBytes: mebibyte }
    const outcomes = await Promise.all(
      ['python', 'typescript', 'typescript'].map(
        async (runtime) =>
          await run(
            target,
            runtime === 'python' ? 'python' : 'typescript',
            runtime === 'python'
              ? 'def main(_):\n  held = []\n  while True: held.append(bytearray(b"x") * (1 << 20))'
              : bomb.replaceAll("log('up')", ''),
            { limits: { ...roomy, wallMs: 5000 } },
          ),
      ),
    )
    expect(outcomes.map(({ status }) => status)).not.toContain('ok')
    expect(outcomes).toContainEqual(
      expect.objectContaining({
        status: 'killed',
        reason: 'signal',
        message:
          'The kernel ended the function because the machine, or the group that the server is in, ran out of memory.',
      }),
    )
    expect(outcomes).not.toContainEqual(expect.objectContaining({ reason: 'executor-lost' }))
    expect(await run(target, 'python', 'def main(_): return 1')).toMatchObject({ status: 'ok' })
  })
})

describe('what a jail leaves on the account of its group', () => {
  /** The kernel keeps the names of files that were looked for and are not there. */
  const looks = `
def main(input):
    path = os.path.dirname(os.__file__) + '/' + os.urandom(8).hex()
    for n in range(input['names']): attempt(lambda: os.stat(path + '%0200d' % n))
    return 1
`
  const roomy = { limits: { memoryBytes: 512 * mebibyte } }

  test('is not counted as memory of a later one', async () => {
    await open('required', { waitingJails: 0 })
    const before = await run(sandbox, 'python', looks, { ...roomy, input: { names: 0 } })
    const left = await run(sandbox, 'python', looks, { ...roomy, input: { names: 60_000 } })
    const later = await run(sandbox, 'python', looks, { ...roomy, input: { names: 0 } })
    expect([before.status, left.status, later.status]).toEqual(['ok', 'ok', 'ok'])
    const peak = ({ usage }: SandboxOutcome): number => usage.peakMemoryBytes ?? 0
    expect(peak(left), 'the names are there').toBeGreaterThan(peak(before) + 16 * mebibyte)
    expect(peak(later)).toBeGreaterThan(0)
    expect(peak(later)).toBeLessThan(peak(before) + 8 * mebibyte)
  })
})
