import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { ReadingBudget, type Time } from './reading-budget.ts'

/** Time that goes on by work, and to the end of a rest when there is nothing else to do. */
class VirtualTime implements Time {
  #ms = 0

  nowMs(): number {
    return this.#ms
  }

  work(ms: number): void {
    this.#ms += ms
  }

  after(ms: number, callback: () => void): () => void {
    const untilMs = this.#ms + ms
    const turn = setImmediate(() => {
      this.#ms = Math.max(this.#ms, untilMs)
      callback()
    })
    return () => clearImmediate(turn)
  }
}

/** Sends single bytes for ever, as fast as they are taken. */
function endless(): Readable {
  return new Readable({
    read() {
      this.push(Buffer.of(0))
    },
  })
}

describe('reading the streams of one jail', () => {
  test.each([1, 3])('of which %i send for ever takes a tenth of the time, after a burst', async (count) => {
    const time = new VirtualTime()
    const budget = new ReadingBudget(time)
    const streams = Array.from({ length: count }, endless)
    const over = Promise.withResolvers<undefined>()
    let workMs = 0
    for (const stream of streams) {
      budget.read(stream, () => {
        time.work(1)
        workMs += 1
        if (time.nowMs() > 10_000) over.resolve(undefined)
      })
    }
    await over.promise
    for (const stream of streams) stream.destroy()
    expect(workMs).toBeGreaterThan(900)
    expect(workMs).toBeLessThan(50 + 0.1 * time.nowMs() + 10)
  })

  test('counts a chunk at no less than what it costs to be handed on', async () => {
    const time = new VirtualTime()
    const stream = endless()
    let chunks = 0
    const over = Promise.withResolvers<undefined>()
    new ReadingBudget(time).read(stream, () => {
      chunks += 1
      if (time.nowMs() > 1000) over.resolve(undefined)
    })
    await over.promise
    stream.destroy()
    // 50 ms of burst and a tenth of a second, at 15 us each.
    expect(chunks).toBeLessThan(11_000)
  })

  test('is not slowed down where little comes, and comes to its end', async () => {
    const time = new VirtualTime()
    const chunks: string[] = []
    const stream = Readable.from(['one', 'two', 'three'].map((each) => Buffer.from(each)))
    new ReadingBudget(time).read(stream, (chunk) => {
      time.work(1)
      chunks.push(chunk.toString())
    })
    await new Promise((resolve) => stream.on('end', resolve))
    expect(chunks).toEqual(['one', 'two', 'three'])
    expect(time.nowMs()).toBe(3)
  })

  test('goes on without rest once the jail is being killed', async () => {
    const time = new VirtualTime()
    const budget = new ReadingBudget(time)
    const stream = Readable.from(Array.from({ length: 300 }, () => Buffer.of(0)))
    let lastMs = 0
    budget.read(stream, () => {
      time.work(1)
      if (time.nowMs() > 1000 && lastMs === 0) budget.lift()
      lastMs = time.nowMs() > 1000 ? lastMs + 1 : 0
    })
    await new Promise((resolve) => stream.on('end', resolve))
    // What came after the kill took its own time and no more.
    expect(lastMs).toBeGreaterThan(100)
    expect(time.nowMs()).toBeLessThan(1010 + lastMs)
  })
})
