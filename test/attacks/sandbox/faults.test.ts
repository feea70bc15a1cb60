import { existsSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Runtime, Sandbox, SandboxLimits, SandboxOutcome } from '../../../src/sandbox/index.ts'
import { subtrees, until } from '../../support/own-groups.ts'
import {
  chainAbove,
  directoriesOf,
  executors,
  holdingsOf,
  jailsOf,
  kindsAbove,
  processesOf,
  remainsAfter,
  type Holdings,
} from '../../support/sandbox-remains.ts'
import { openSandbox, run } from './hosted-code.ts'

// What else can go wrong is beside this file: garbage on the socket in socket.test.ts, a host with 64 MiB free and bombs
// against cgroups in limits-cgroup.test.ts, a pool starved for a minute in warm-jails.test.ts.

/** Of no other sandbox, so that every process of it is one of these tests. */
const executorUid = 1_990_000_555
const mebibyte = 1024 * 1024
const concurrency = 4
const honest: Readonly<Record<Runtime, string>> = {
  python: 'def main(_): return 1',
  typescript: 'export const main = () => 1',
}
const ok = { status: 'ok', resultJson: '1' }
const limit = (name: string): object => ({ status: 'limit', limit: name })

interface Fault {
  readonly what: string
  readonly runtime: Runtime
  readonly code: string
  readonly ends: object
  readonly limits?: Partial<SandboxLimits>
}

const python = (what: string, code: string, ends: object, limits: Partial<SandboxLimits> = {}): Fault => ({
  what,
  runtime: 'python',
  code,
  ends,
  limits,
})
const typescript = (what: string, code: string, ends: object, limits: Partial<SandboxLimits> = {}): Fault => ({
  what,
  runtime: 'typescript',
  code,
  ends,
  limits,
})

const short = { wallMs: 200 }
/** Cheap enough for a whole new jail each. */
const cheap: readonly Fault[] = [
  python('forks for ever', 'def main(_):\n  while True: os.fork()', limit('processes')),
  python(
    'forks twice, to leave an orphan, and returns',
    `
import time
def main(_):
    def orphan():
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0: time.sleep(1e6)
            os._exit(0)
    return attempt(orphan)`,
    { status: 'ok', resultJson: '"EPERM"' },
  ),
  python(
    'leaves threads that never end',
    'import threading, time\ndef main(_):\n  for _ in range(10): threading.Thread(target=time.sleep, args=(1e6,)).start()\n  return 1',
    ok,
  ),
  python(
    'stops itself',
    'import signal, time\ndef main(_):\n  os.kill(os.getpid(), signal.SIGSTOP)\n  time.sleep(1e6)',
    limit('wall'),
    short,
  ),
  python(
    'ignores SIGTERM and every other signal',
    'import signal, time\ndef main(_):\n  for n in range(1, 65): attempt(lambda: signal.signal(n, signal.SIG_IGN))\n  while True: time.sleep(1)',
    limit('wall'),
    short,
  ),
  python(
    'closes every descriptor',
    'import time\ndef main(_):\n  os.closerange(0, 1024)\n  time.sleep(1e6)',
    limit('wall'),
    short,
  ),
  python('opens descriptors for ever', 'def main(_):\n  while True: os.pipe()', limit('open-files')),
  python(
    'kills its parent and everything else that it can',
    'import signal\ndef main(_):\n  for pid in (os.getppid(), -1, 0): attempt(lambda: os.kill(pid, signal.SIGKILL))\n  return 1',
    ok,
  ),
  python(
    'writes garbage on the capability socket',
    'import time\ndef main(_):\n  os.write(3, (8).to_bytes(4, "big") + (4).to_bytes(4, "big") + b"\\xff\\xff\\xff\\xff")\n  time.sleep(1e6)',
    { status: 'invalid' },
  ),
  python(
    'makes deep directories',
    'def main(_):\n  os.chdir("/tmp")\n  while True:\n    os.mkdir("d"); os.chdir("d")',
    limit('scratch'),
  ),
  typescript('starts a program', 'export const main = () => Bun.spawnSync([process.execPath])', limit('processes')),
  typescript(
    'closes every descriptor',
    'export const main = () => { for (let n = 3; n < 64; n++) attempt(() => fs.closeSync(n)); for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0) }',
    { status: expect.stringMatching(/^(?:limit|killed)$/) as string },
    short,
  ),
]
/** Only in mode fast: they take longer, or show what mode fresh shows as well. */
const costly: readonly Fault[] = [
  python(
    'takes all memory',
    'def main(_):\n  held = []\n  while True: held.append(bytearray(1 << 20))',
    limit('memory'),
    { memoryBytes: 128 * mebibyte },
  ),
  python(
    'fills its tmpfs',
    'def main(_):\n  with open("/tmp/x", "wb") as file:\n    while True: file.write(bytes(65536))',
    limit('scratch'),
  ),
  python(
    'makes 100,000 files',
    'def main(_):\n  for n in range(100000): os.close(os.open(f"/tmp/{n}", os.O_CREAT))',
    limit('scratch'),
  ),
  python('floods stdout', 'def main(_):\n  while True: print("x" * 1000)', limit('output')),
  python(
    'asks for answers and never reads them',
    `
import json, struct, time
def main(_):
    for number in range(1, 100):
        head = json.dumps({'type': 'call', 'id': number, 'tool': 'large'}).encode()
        os.write(3, struct.pack('>II', 4 + len(head) + 2, len(head)) + head + b'{}')
        time.sleep(0.005)
    time.sleep(1e6)`,
    { status: 'invalid' },
    { innerCalls: 1000, wallMs: 5000 },
  ),
  typescript(
    'takes all memory',
    'export const main = () => { const held = []; for (;;) held.push(new Uint8Array(1 << 20).fill(1)) }',
    limit('memory'),
    { memoryBytes: 128 * mebibyte },
  ),
  typescript(
    'makes 100,000 files',
    'export const main = () => { for (let n = 0; n < 1e5; n++) fs.closeSync(fs.openSync("/tmp/" + n, "w")) }',
    limit('scratch'),
  ),
  typescript('floods stdout', 'export const main = () => { for (;;) console.log("x".repeat(1000)) }', limit('output')),
  typescript(
    'leaves a worker that never ends',
    'export const main = () => { new Worker("data:text/javascript,setInterval(() => 1, 1000)"); return 1 }',
    ok,
  ),
  typescript(
    'kills its parent and everything else that it can',
    'export const main = () => { for (const pid of [process.ppid, -1, 0]) attempt(() => process.kill(pid, "SIGKILL")); return 1 }',
    ok,
  ),
]

let sandbox: Sandbox
let before: Holdings

const executor = (): number => {
  const [only] = executors()
  if (only === undefined) throw new Error('there is no executor')
  return only
}

const largeAnswers = {
  onCall: async () => await Promise.resolve({ ok: true as const, resultJson: JSON.stringify('x'.repeat(1_000_000)) }),
}

/** Opens a sandbox and has it make everything that it keeps. */
async function open(settings: object): Promise<void> {
  sandbox = await openSandbox({ executorUid, concurrency, waitingJails: 0, queueLength: 1000, ...settings })
  const kept = {
    python: 'import time\ndef main(_): time.sleep(0.1)',
    typescript: 'export const main = () => Bun.sleep(100)',
  }
  for (const runtime of ['python', 'typescript'] as const)
    await Promise.all(Array.from({ length: concurrency }, async () => await run(sandbox, runtime, kept[runtime])))
  await until(() => jailsOf(executor()).length === 0)
  before = holdingsOf(executor())
}

/** Runs honest calls until the sandbox takes them again; each refusal on the way is a named one. */
async function worksAgain(runtime: Runtime): Promise<SandboxOutcome> {
  for (;;) {
    const outcome = await run(sandbox, runtime, honest[runtime])
    if (outcome.status !== 'unavailable') return outcome
    await until(() => sandbox.isReady())
  }
}

/** The check that follows every fault. */
async function expectNothingLeft(): Promise<void> {
  for (const runtime of ['python', 'typescript'] as const) expect(await worksAgain(runtime)).toMatchObject(ok)
  expect(await remainsAfter(before, executorUid)).toEqual([])
}

/** Closes the sandbox: nothing at all is left. */
async function closeToNothing(): Promise<void> {
  const gone = executor()
  await sandbox.close()
  await until(() => processesOf(executorUid).length === 0)
  expect(directoriesOf(gone)).toEqual([])
  expect(subtrees()).toEqual([])
}

/** Starts a function that never ends, and answers its process once it runs. */
async function sleeper(
  runtime: Runtime,
  limits: Partial<SandboxLimits> = {},
): Promise<{ pid: number; ends: Promise<SandboxOutcome> }> {
  const known = jailsOf(executor())
  const up = Promise.withResolvers<undefined>()
  const code = {
    python: 'import mcpworks, time\ndef main(_):\n  mcpworks.log("up")\n  time.sleep(1e6)',
    typescript: 'import { log } from "mcpworks"\nexport const main = () => { log("up"); return Bun.sleep(1e9) }',
  }
  const ends = run(sandbox, runtime, code[runtime], { limits, onLog: () => up.resolve(undefined) })
  await up.promise
  const pid = jailsOf(executor()).find((each) => !known.includes(each))
  if (pid === undefined) throw new Error('there is no jail')
  return { pid, ends }
}

describe.each(['fast', 'fresh'] as const)('in mode %s', (mode) => {
  beforeAll(async () => await open({ mode }))
  afterAll(closeToNothing)

  test.each(mode === 'fast' ? [...cheap, ...costly] : cheap)(
    'a function that $what ($runtime) ends by name, leaves nothing, and the next call works',
    async ({ runtime, code, ends, limits = {} }) => {
      expect(await run(sandbox, runtime, code, { limits, ...largeAnswers })).toMatchObject(ends)
      await expectNothingLeft()
    },
  )

  test('a jail that is stopped from outside ends by its wall clock', async () => {
    const { pid, ends } = await sleeper('python', { wallMs: 500 })
    process.kill(pid, 'SIGSTOP')
    expect(await ends).toMatchObject({ status: 'limit', limit: 'wall' })
    await expectNothingLeft()
  })

  test('a jail that is killed from outside is told as that', async () => {
    const { pid, ends } = await sleeper('typescript')
    process.kill(pid, 'SIGKILL')
    expect(await ends).toMatchObject({ status: 'killed', reason: 'signal' })
    await expectNothingLeft()
  })
})

describe('of the processes that jails hang on', () => {
  beforeAll(async () => await open({}))
  afterAll(closeToNothing)

  test.each(kindsAbove.slice(1).map((kind) => [kind] as const))(
    'the %s can be killed in the middle of calls: they end by name, nothing is left, the next call works',
    async (kind) => {
      const mine = await sleeper('python')
      const other = await sleeper('typescript')
      const pid = chainAbove(mine.pid)[kindsAbove.indexOf(kind)] ?? 0
      process.kill(pid, 'SIGKILL')
      const isShared = kind === 'executor' || kind === 'launcher'
      expect(await mine.ends).toMatchObject({ status: 'killed', reason: isShared ? 'executor-lost' : 'signal' })
      if (!isShared) process.kill(other.pid, 'SIGKILL')
      expect(await other.ends).toMatchObject({ status: 'killed', reason: isShared ? 'executor-lost' : 'signal' })
      await expectNothingLeft()
    },
  )
})

describe('of the processes that jails hang on, stopped', () => {
  beforeAll(async () => await open({}))
  afterAll(closeToNothing)

  test('the zygote: calls that need it wait and can be cancelled; when it goes on they end well', async () => {
    const held = []
    for (let n = 0; n < concurrency; n += 1) held.push(await sleeper('python', { wallMs: 500 }))
    const chains = held.map(({ pid }) => chainAbove(pid))
    const zygote = chains[0]?.[kindsAbove.indexOf('zygote')] ?? 0
    process.kill(zygote, 'SIGSTOP')
    for (const { ends } of held) expect(await ends).toMatchObject(limit('wall'))
    // Without a free slot, and so in need of the zygote.
    for (const chain of chains) process.kill(chain[kindsAbove.indexOf('slot')] ?? 0, 'SIGKILL')
    await until(() => chains.every((chain) => !existsSync(`/proc/${String(chain[kindsAbove.indexOf('slot')])}`)))
    const abort = new AbortController()
    const calls = Array.from(
      { length: concurrency - 1 },
      async () => await run(sandbox, 'python', honest.python, { signal: abort.signal }),
    )
    expect(await run(sandbox, 'typescript', honest.typescript)).toMatchObject({ status: 'ok' })
    abort.abort()
    for (const outcome of await Promise.all(calls))
      expect(outcome).toMatchObject({ status: 'killed', reason: 'cancelled' })
    const again = Array.from({ length: concurrency }, async () => await run(sandbox, 'python', honest.python))
    process.kill(zygote, 'SIGCONT')
    for (const outcome of await Promise.all(again)) expect(outcome).toMatchObject(ok)
    // Slots that were asked for while it was stopped are kept for later.
    before = { ...before, descriptors: before.descriptors + concurrency }
    await expectNothingLeft()
  })

  test('the launcher, for a moment: the call ends by its limit when it goes on', async () => {
    const { pid, ends } = await sleeper('python', { wallMs: 300 })
    const launcher = chainAbove(pid)[kindsAbove.indexOf('launcher')] ?? 0
    process.kill(launcher, 'SIGSTOP')
    const abort = new AbortController()
    const waiting = run(sandbox, 'typescript', honest.typescript, { signal: abort.signal })
    abort.abort()
    expect(await waiting).toMatchObject({ status: 'killed', reason: 'cancelled' })
    process.kill(launcher, 'SIGCONT')
    expect(await ends).toMatchObject(limit('wall'))
    await expectNothingLeft()
  })

  test('the launcher, for good: after ten seconds it and all that hangs on it are given up, and another is started', async () => {
    const { pid, ends } = await sleeper('python', { wallMs: 100 })
    process.kill(chainAbove(pid)[kindsAbove.indexOf('launcher')] ?? 0, 'SIGSTOP')
    expect(await ends).toMatchObject({ status: 'killed', reason: 'executor-lost' })
    await expectNothingLeft()
  })

  test('all of them, and then the sandbox is closed: nothing is left', async () => {
    await sandbox.close()
    await open({})
    const { pid, ends } = await sleeper('python')
    for (const each of chainAbove(pid)) process.kill(each, 'SIGSTOP')
    await closeToNothing()
    expect((await ends).status).toBe('killed')
    await open({})
  })
})

describe('many calls at once', () => {
  afterEach(closeToNothing)

  test.each([
    ['python', 500],
    ['typescript', 100],
  ] as const)('of %s, %i, all end well where the queue is long', async (runtime, count) => {
    await open({})
    const latenciesMs: number[] = []
    const outcomes = await Promise.all(
      Array.from({ length: count }, async () => {
        const startMs = performance.now()
        const outcome = await run(sandbox, runtime, honest[runtime])
        latenciesMs.push(performance.now() - startMs)
        return outcome.status
      }),
    )
    expect(new Set(outcomes)).toEqual(new Set(['ok']))
    const sorted = latenciesMs.toSorted((a, b) => a - b)
    const at = (share: number): string => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(0)
    process.stdout.write(`${String(count)} calls of ${runtime} at once: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms\n`)
    await expectNothingLeft()
  })

  test('are refused by name where the queue is short, and those that got a place end well', async () => {
    await open({ queueLength: 8 })
    const outcomes = await Promise.all(
      Array.from({ length: 500 }, async () => await run(sandbox, 'python', honest.python)),
    )
    const refused = outcomes.filter(({ status }) => status !== 'ok')
    expect(refused.length).toBeLessThanOrEqual(500 - concurrency - 8)
    expect(refused.length).toBeGreaterThan(0)
    expect(new Set(refused.map((outcome) => 'message' in outcome && outcome.message))).toEqual(
      new Set(['Too many executions are waiting. Try again later.']),
    )
    await expectNothingLeft()
  })
})

describe('a step of the clock', () => {
  // src/sandbox reads no clock that can be set (monotonic-clock.test.ts): timers and performance.now() only go forward.
  afterEach(async () => {
    vi.useRealTimers()
    await closeToNothing()
  })

  test.each([
    ['forward', 1],
    ['back', -1],
  ] as const)('%s by a year while a call runs neither ends it nor lets it go on', async (_, direction) => {
    await open({})
    const startMs = performance.now()
    vi.useFakeTimers({ toFake: ['Date'] })
    const { ends } = await sleeper('python', { wallMs: 400 })
    vi.setSystemTime(Date.now() + direction * 365 * 24 * 3_600_000)
    expect(await ends).toMatchObject({ status: 'limit', limit: 'wall' })
    expect(performance.now() - startMs).toBeGreaterThan(400)
    expect((await ends).usage.wallMs).toBeGreaterThanOrEqual(399)
    await expectNothingLeft()
  })
})
