import { existsSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { until } from '../../support/own-groups.ts'
import { kindsAbove, processAbove } from '../../support/sandbox-remains.ts'
import { concurrency, honest, limit, longEnoughMs, ok, WatchedSandbox } from './watched-sandbox.ts'

let sandbox: WatchedSandbox

describe('of the processes that jails hang on', () => {
  beforeAll(async () => (sandbox = await WatchedSandbox.open()))
  afterAll(async () => await sandbox.closeToNothing())

  test.each(kindsAbove.slice(1).map((kind) => [kind] as const))(
    'the %s can be killed in the middle of calls: they end by name, nothing is left, the next call works',
    async (kind) => {
      const mine = await sandbox.sleeper('python')
      const other = await sandbox.sleeper('typescript')
      const pid = processAbove(mine.pid, kind)
      process.kill(pid, 'SIGKILL')
      const isShared = kind === 'executor' || kind === 'launcher'
      expect(await mine.ends).toMatchObject({ status: 'killed', reason: isShared ? 'executor-lost' : 'signal' })
      if (!isShared) process.kill(other.pid, 'SIGKILL')
      expect(await other.ends).toMatchObject({ status: 'killed', reason: isShared ? 'executor-lost' : 'signal' })
      await sandbox.expectNothingLeft()
    },
  )
})

describe('of the processes that jails hang on, stopped', () => {
  beforeAll(async () => (sandbox = await WatchedSandbox.open()))
  afterAll(async () => await sandbox.closeToNothing())

  test('the zygote: calls that need it wait and can be cancelled; when it goes on they end well', async () => {
    const held = []
    const release = new AbortController()
    for (let n = 0; n < concurrency; n += 1) held.push(await sandbox.sleeper('python', {}, release.signal))
    const slots = held.map(({ pid }) => processAbove(pid, 'slot'))
    const zygote = processAbove(held[0]?.pid ?? -1, 'zygote')
    process.kill(zygote, 'SIGSTOP')
    release.abort()
    for (const { ends } of held) expect(await ends).toMatchObject({ status: 'killed', reason: 'cancelled' })
    // Without a free slot, and so in need of the zygote.
    for (const slot of slots) process.kill(slot, 'SIGKILL')
    await until(() => slots.every((slot) => !existsSync(`/proc/${String(slot)}`)))
    const abort = new AbortController()
    const calls = Array.from(
      { length: concurrency - 1 },
      async () => await sandbox.run('python', honest.python, { signal: abort.signal }),
    )
    expect(await sandbox.run('typescript', honest.typescript)).toMatchObject({ status: 'ok' })
    abort.abort()
    for (const outcome of await Promise.all(calls))
      expect(outcome).toMatchObject({ status: 'killed', reason: 'cancelled' })
    const again = Array.from({ length: concurrency }, async () => await sandbox.run('python', honest.python))
    process.kill(zygote, 'SIGCONT')
    for (const outcome of await Promise.all(again)) expect(outcome).toMatchObject(ok)
    // Slots that were asked for while it was stopped are kept for later.
    sandbox.allowDescriptors(concurrency)
    await sandbox.expectNothingLeft()
  })

  test('the launcher, for a moment: the call ends by its limit when it goes on', async () => {
    const { pid, ends } = await sandbox.sleeper('python', { wallMs: longEnoughMs })
    const launcher = processAbove(pid, 'launcher')
    process.kill(launcher, 'SIGSTOP')
    const abort = new AbortController()
    const waiting = sandbox.run('typescript', honest.typescript, { signal: abort.signal })
    abort.abort()
    expect(await waiting).toMatchObject({ status: 'killed', reason: 'cancelled' })
    process.kill(launcher, 'SIGCONT')
    expect(await ends).toMatchObject(limit('wall'))
    await sandbox.expectNothingLeft()
  })

  test('the launcher, for good: after ten seconds it and all that hangs on it are given up, and another is started', async () => {
    const { pid, ends } = await sandbox.sleeper('python', { wallMs: longEnoughMs })
    process.kill(processAbove(pid, 'launcher'), 'SIGSTOP')
    expect(await ends).toMatchObject({ status: 'killed', reason: 'executor-lost' })
    await sandbox.expectNothingLeft()
  })

  test('all of them, and then the sandbox is closed: nothing is left', async () => {
    const { pid, ends } = await sandbox.sleeper('python')
    for (const kind of kindsAbove) process.kill(processAbove(pid, kind), 'SIGSTOP')
    await sandbox.closeToNothing()
    expect((await ends).status).toBe('killed')
    sandbox = await WatchedSandbox.open()
  })
})

describe('many calls at once', () => {
  afterEach(async () => await sandbox.closeToNothing())

  test.each([
    ['python', 500],
    ['typescript', 100],
  ] as const)('of %s, %i, all end well where the queue is long', async (runtime, count) => {
    sandbox = await WatchedSandbox.open()
    const latenciesMs: number[] = []
    const outcomes = await Promise.all(
      Array.from({ length: count }, async () => {
        const startMs = performance.now()
        const outcome = await sandbox.run(runtime, honest[runtime])
        latenciesMs.push(performance.now() - startMs)
        return outcome.status
      }),
    )
    expect(new Set(outcomes)).toEqual(new Set(['ok']))
    const sorted = latenciesMs.toSorted((a, b) => a - b)
    const at = (share: number): string => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(0)
    process.stdout.write(`${String(count)} calls of ${runtime} at once: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms\n`)
    await sandbox.expectNothingLeft()
  })

  test('are refused by name where the queue is short, and those that got a place end well', async () => {
    sandbox = await WatchedSandbox.open({ queueLength: 8 })
    const outcomes = await Promise.all(
      Array.from({ length: 500 }, async () => await sandbox.run('python', honest.python)),
    )
    const refused = outcomes.filter(({ status }) => status !== 'ok')
    expect(refused.length).toBeLessThanOrEqual(500 - concurrency - 8)
    expect(refused.length).toBeGreaterThan(0)
    expect(new Set(refused.map((outcome) => 'message' in outcome && outcome.message))).toEqual(
      new Set(['Too many executions are waiting. Try again later.']),
    )
    await sandbox.expectNothingLeft()
  })
})

describe('a step of the clock', () => {
  // src/sandbox reads no clock that can be set (monotonic-clock.test.ts): timers and performance.now() only go forward.
  afterEach(async () => {
    vi.useRealTimers()
    await sandbox.closeToNothing()
  })

  test.each([
    ['forward', 1],
    ['back', -1],
  ] as const)('%s by a year while a call runs neither ends it nor lets it go on', async (_, direction) => {
    sandbox = await WatchedSandbox.open()
    const startMs = performance.now()
    vi.useFakeTimers({ toFake: ['Date'] })
    const { ends } = await sandbox.sleeper('python', { wallMs: longEnoughMs })
    vi.setSystemTime(Date.now() + direction * 365 * 24 * 3_600_000)
    expect(await ends).toMatchObject({ status: 'limit', limit: 'wall' })
    expect(performance.now() - startMs).toBeGreaterThan(longEnoughMs)
    expect((await ends).usage.wallMs).toBeGreaterThanOrEqual(longEnoughMs - 1)
    await sandbox.expectNothingLeft()
  })
})
