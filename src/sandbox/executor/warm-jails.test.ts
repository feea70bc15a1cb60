import { Duplex, Readable } from 'node:stream'
import { expect, onTestFinished, test } from 'vitest'
import { encodeFrame } from '../protocol/frame.ts'
import type { JailEnd, JailOrder } from '../sandbox-engine.ts'
import type { JailSource } from './jail-source.ts'
import { SealedJail, type SealedResult } from './sealed-jail.ts'
import { WarmJails } from './warm-jails.ts'

/** Of no process: Linux gives none beyond 2^22. */
const noPid = 5_000_000
const minuteMs = 60_000
const idleMs = 2 * minuteMs

const order = (codeBytes = 4096): JailOrder => ({
  runtime: 'python',
  codeBytes,
  scratchBytes: 4096,
  limits: {
    wallMs: 1000,
    cpuMs: 1000,
    memoryBytes: 2 ** 26,
    processes: 1,
    openFiles: 16,
    scratchBytes: 4096,
    resultBytes: 64,
    outputBytes: 0,
    innerCalls: 0,
  },
})

/** A jail of which only the channel is there, and what can be done to it from inside and from outside. */
interface MadeJail {
  readonly codeBytes: number
  readonly jail: SealedJail
  readonly speak: () => void
  readonly die: () => void
  isKilled: boolean
}

/** Makes jails in memory, at once or when it is told to. */
class JailsInMemory implements JailSource {
  readonly made: MadeJail[] = []
  readonly signals: (AbortSignal | undefined)[] = []
  /** Set where it is to deliver nothing until told. */
  gate: PromiseWithResolvers<undefined> | null = null
  refuses = false
  asked = 0

  async take({ codeBytes }: JailOrder, signal?: AbortSignal): Promise<SealedResult> {
    this.asked += 1
    this.signals.push(signal)
    await this.gate?.promise
    if (this.refuses) return { ok: false, why: 'nothing can be made' }
    const nonce = String(this.asked)
    const ended = Promise.withResolvers<JailEnd>()
    const channel = new Duplex({
      read: () => undefined,
      write(_chunk, _encoding, done) {
        this.push(encodeFrame({ type: 'ready', version: 1, nonce }))
        done()
      },
    })
    const kill = (): void => {
      made.isKilled = true
      ended.resolve({ exitCode: null })
    }
    const streams = { channel, stdout: Readable.from([]), stderr: Readable.from([]) }
    const jail = { ...streams, pid: Promise.resolve(noPid), ended: ended.promise, kill }
    const result = await SealedJail.make(jail, {
      setup: Buffer.from('setup'),
      nonce,
      unsealedReason: () => null,
      group: null,
    })
    if (!result.ok) throw new Error(result.why)
    const made: MadeJail = {
      codeBytes,
      jail: result.jail,
      speak: () => channel.push('x'),
      die: () => ended.resolve({ exitCode: 1 }),
      isKilled: false,
    }
    this.made.push(made)
    return result
  }

  async close(): Promise<void> {
    await Promise.resolve()
  }

  /** Those that wait or are in use. */
  get living(): MadeJail[] {
    return this.made.filter(({ isKilled }) => !isKilled)
  }
}

interface Bench {
  readonly source: JailsInMemory
  readonly jails: WarmJails
  readonly clock: { nowMs: number; hasRoom: boolean }
  readonly take: (order?: JailOrder) => Promise<SealedJail>
}

function bench(most = 4): Bench {
  const source = new JailsInMemory()
  const clock = { nowMs: 0, hasRoom: true }
  const jails = new WarmJails(source, { most, idleMs, hasRoom: () => clock.hasRoom, now: () => clock.nowMs })
  onTestFinished(async () => await jails.close())
  const take = async (which = order()): Promise<SealedJail> => {
    const result = await jails.take(which)
    if (!result.ok) throw new Error(result.why)
    return result.jail
  }
  return { source, jails, clock, take }
}

/** Lets everything that has been asked for arrive. */
async function settled({ source }: Bench): Promise<void> {
  let seen = -1
  while (seen !== source.made.length) {
    seen = source.made.length
    // Two turns of the event loop: a stream hands on what was pushed in the one after.
    for (let turn = 0; turn < 3; turn += 1) await new Promise(setImmediate)
  }
}

const waiting = (all: Bench, taken: readonly SealedJail[]): MadeJail[] =>
  all.source.living.filter(({ jail }) => !taken.includes(jail))

test('jails in advance are made after the first call, as many more as calls come at once, never more than the bound', async () => {
  const all = bench(3)
  expect(all.source.made).toHaveLength(0)
  const taken = [await all.take()]
  await settled(all)
  expect(waiting(all, taken)).toHaveLength(1)
  taken.push(...(await Promise.all([all.take(), all.take(), all.take()])))
  await settled(all)
  expect(waiting(all, taken)).toHaveLength(3)
  taken.push(...(await Promise.all(Array.from({ length: 20 }, async () => await all.take()))))
  await settled(all)
  expect(waiting(all, taken)).toHaveLength(3)
})

test('a jail is handed out once, whatever is asked for at once', async () => {
  const all = bench()
  const taken = new Set<SealedJail>()
  for (let round = 0; round < 10; round += 1) {
    for (const jail of await Promise.all(Array.from({ length: 7 }, async () => await all.take()))) taken.add(jail)
    await settled(all)
  }
  expect(taken.size).toBe(70)
})

test('a shelf that nobody asks for loses one jail each time that it is looked at, until it is empty', async () => {
  const all = bench()
  const taken = await Promise.all([all.take(), all.take()])
  await settled(all)
  expect(waiting(all, taken)).toHaveLength(2)
  all.clock.nowMs = idleMs - 1
  all.jails.sweep()
  expect(waiting(all, taken)).toHaveLength(2)
  all.clock.nowMs = idleMs
  all.jails.sweep()
  expect(waiting(all, taken)).toHaveLength(1)
  all.jails.sweep()
  expect(waiting(all, taken)).toHaveLength(0)
  // It grows again like a new one.
  taken.push(await all.take())
  await settled(all)
  expect(waiting(all, taken)).toHaveLength(1)
})

test('a clock that jumps forward by a year ends what waits and nothing that was handed out, and calls work on', async () => {
  const all = bench()
  const taken = [await all.take()]
  await settled(all)
  all.clock.nowMs += 365 * 24 * 60 * minuteMs
  all.jails.sweep()
  expect(all.source.living.map(({ jail }) => jail)).toEqual(taken)
  expect((await all.take()).isFit).toBe(true)
})

test('where the machine is short of memory all that wait are given up and none is made, and calls still get theirs', async () => {
  const all = bench()
  const taken = await Promise.all([all.take(), all.take()])
  await settled(all)
  all.clock.hasRoom = false
  all.jails.sweep()
  expect(waiting(all, taken)).toHaveLength(0)
  taken.push(await all.take(), await all.take())
  await settled(all)
  expect(waiting(all, taken)).toHaveLength(0)
  expect(taken.every(({ isFit }) => isFit)).toBe(true)
  all.clock.hasRoom = true
  taken.push(await all.take())
  await settled(all)
  expect(waiting(all, taken).length).toBeGreaterThan(0)
})

test('orders share one bound: a new one takes the place of the one that was not used for the longest time', async () => {
  const all = bench(2)
  const taken = [await all.take(order(1))]
  await settled(all)
  taken.push(await all.take(order(2)))
  await settled(all)
  expect(waiting(all, taken).map(({ codeBytes }) => codeBytes)).toEqual([1, 2])
  taken.push(await all.take(order(3)))
  await settled(all)
  expect(waiting(all, taken).map(({ codeBytes }) => codeBytes)).toEqual([2, 3])
})

test('a jail is handed out only for the order that it was made for', async () => {
  const all = bench()
  const first = await all.take(order(1))
  await settled(all)
  const other = await all.take(order(2))
  expect(all.source.made.find(({ jail }) => jail === other)?.codeBytes).toBe(2)
  expect(other).not.toBe(first)
})

test.each(['speak', 'die'] as const)('one that did this while it waited is never handed out: %s', async (what) => {
  const all = bench()
  const taken = [await all.take()]
  await settled(all)
  const [bad] = waiting(all, taken)
  bad?.[what]()
  await settled(all)
  expect(bad?.jail.isFit).toBe(false)
  const next = await all.take()
  expect(next).not.toBe(bad?.jail)
  expect(next.isFit).toBe(true)
  expect(bad?.isKilled).toBe(true)
})

test('a pool starved for a minute asks for no more than its bound and the calls, and recovers when it is fed', async () => {
  const all = bench(3)
  const taken = [await all.take()]
  await settled(all)
  all.source.gate = Promise.withResolvers<undefined>()
  const before = all.source.asked
  const calls = Array.from({ length: 10 }, async () => await all.take())
  await settled(all)
  for (; all.clock.nowMs < minuteMs; all.clock.nowMs += 1000) {
    all.jails.sweep()
    await settled(all)
  }
  expect(all.source.asked - before).toBeLessThanOrEqual(10 + 3)
  all.source.gate.resolve(undefined)
  all.source.gate = null
  taken.push(...(await Promise.all(calls)))
  await settled(all)
  expect(new Set(taken).size).toBe(11)
  expect(waiting(all, taken)).toHaveLength(3)
})

test('a source that can make nothing is told to the call, is not asked in a loop, and is used again when it can', async () => {
  const all = bench()
  all.source.refuses = true
  expect(await all.jails.take(order())).toEqual({ ok: false, why: 'nothing can be made' })
  await settled(all)
  expect(all.source.asked).toBeLessThanOrEqual(2)
  all.source.refuses = false
  const taken = [await all.take()]
  await settled(all)
  expect(waiting(all, taken).length).toBeGreaterThan(0)
})

test('the end kills all that waits and calls off what is being made, and waits for it', async () => {
  const all = bench()
  const taken = [await all.take()]
  await settled(all)
  all.source.gate = Promise.withResolvers<undefined>()
  taken.push(await all.take())
  await settled(all)
  expect(all.source.signals.at(-1)?.aborted).toBe(false)
  let isClosed = false
  const closed = all.jails.close().then(() => (isClosed = true))
  await settled(all)
  expect(isClosed).toBe(false)
  expect(all.source.signals.at(-1)?.aborted).toBe(true)
  all.source.gate.resolve(undefined)
  await closed
  expect(all.source.made).toHaveLength(3)
  expect(waiting(all, taken)).toEqual([])
})
