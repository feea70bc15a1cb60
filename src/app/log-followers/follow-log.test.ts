import { afterEach, describe, expect, it, vi } from 'vitest'
import type { RecordQuery, StoredRecord } from '../../audit/index.ts'
import { tellNotifications, type Listener } from '../notifications/tell-notifications.ts'
import { followLog, type LogFollower, type Taken } from './follow-log.ts'

/** A decision that asks to notify somebody; `null` for one that asks for nothing. */
function decision(index: number, channel: string | null, effect = 'allow'): StoredRecord {
  const obligations = channel === null ? [] : [`notify ${channel}`]
  const json = JSON.stringify({ decision: { effect, obligations }, pre: { principal: { id: 'demo/ann' } } })
  return { index, id: `r${index}`, timeMs: 0, namespace: 'demo', kind: 'decision', call: `c${index}`, json }
}

/** A log in memory with the positions of its readers. */
function logOf(...records: StoredRecord[]) {
  const kept = new Map<string, string>()
  const failures: unknown[] = []
  const state = { isBroken: false }
  const ports = {
    decisionLog: {
      async read({ afterId, descending, limit }: RecordQuery): Promise<StoredRecord[]> {
        if (state.isBroken) throw new Error('unreadable')
        if (descending === true) return records.slice(-1)
        const from = afterId === undefined ? 0 : records.findIndex(({ id }) => id === afterId) + 1
        return records.slice(from, from + limit)
      },
    },
    positions: {
      find: async (reader: string) => kept.get(reader) ?? null,
      keep: async (reader: string, id: string) => void kept.set(reader, id),
    },
    pausesMs: { first: 1, longest: 4 },
    onFailure: (error: unknown) => void failures.push(error),
  }
  return { ports, kept, failures, state, records }
}

/** A follower that takes what `takes` says, and when it was told `count` things. */
function following(takes: (id: string) => boolean = () => true) {
  const told: string[] = []
  const changes: (string | null)[] = []
  const waiting = new Set<() => void>()
  const look = (): void => {
    for (const one of waiting) one()
  }
  const listener: Listener = {
    reader: 'x',
    async tell({ id }) {
      told.push(id)
      look()
      return takes(id) ? null : 'refused'
    },
    onChange(why) {
      changes.push(why)
      look()
    },
  }
  const until = (count: number, changed = 0): Promise<void> =>
    new Promise((resolve) => {
      const isReached = (): void => void (told.length >= count && changes.length >= changed && resolve())
      waiting.add(isReached)
      isReached()
    })
  return { follower: tellNotifications(listener), told, changes, until }
}

describe('following the log', () => {
  it('begins at its end, tells what asks for it in its order, and remembers how far it came', async () => {
    const log = logOf(decision(0, 'ops'))
    const here = following()
    const one = await followLog(here.follower, log.ports)
    expect(log.kept.get('x')).toBe('r0')
    log.records.push(decision(1, 'ops'), decision(2, null), decision(3, 'ops', 'deny'), decision(4, 'ops'))
    one.wake()
    await here.until(2)
    await one.close()
    expect(here.told).toEqual(['r1', 'r4'])
    expect(log.kept.get('x')).toBe('r4')
  })

  it('begins at the beginning of a log that is empty', async () => {
    const log = logOf()
    const here = following()
    const one = await followLog(here.follower, log.ports)
    log.records.push(decision(0, 'ops'))
    one.wake()
    await here.until(1)
    await one.close()
    expect(log.kept.get('x')).toBe('r0')
  })

  it('tells what was refused again until it is taken, before anything that came later', async () => {
    const log = logOf()
    let refusals = 3
    const here = following((id) => id !== 'r0' || (refusals -= 1) < 0)
    const one = await followLog(here.follower, log.ports)
    log.records.push(decision(0, 'ops'), decision(1, 'ops'))
    one.wake()
    await here.until(5, 2)
    await one.close()
    expect(here.told).toEqual(['r0', 'r0', 'r0', 'r0', 'r1'])
    expect(here.changes).toEqual(['refused', null])
  })

  it('goes on after a restart with what was not taken', async () => {
    const log = logOf()
    const first = following((id) => id === 'r0')
    const one = await followLog(first.follower, log.ports)
    log.records.push(decision(0, 'ops'), decision(1, 'ops'), decision(2, 'ops'))
    one.wake()
    await first.until(2)
    await one.close()
    const second = following()
    const again = await followLog(second.follower, log.ports)
    again.wake()
    await second.until(2)
    await again.close()
    expect(second.told).toEqual(['r1', 'r2'])
  })

  it('passes over what asked for nothing, and nothing that was written since it looked last', async () => {
    const log = logOf(decision(0, null))
    const here = following()
    const one = await followLog(here.follower, log.ports)
    log.records.push(decision(1, null))
    await one.passOver()
    log.records.push(decision(2, 'ops'))
    await one.passOver()
    expect(log.kept.get('x')).toBe('r1')
    one.wake()
    await here.until(1)
    await one.passOver()
    await one.passOver()
    await one.close()
    expect(here.told).toEqual(['r2'])
    expect(log.kept.get('x')).toBe('r2')
  })

  it('passes over nothing that was refused', async () => {
    const log = logOf()
    const here = following((id) => id !== 'r0' || here.told.length > 2)
    const one = await followLog(here.follower, log.ports)
    log.records.push(decision(0, 'ops'), decision(1, null))
    one.wake()
    await one.passOver()
    await one.passOver()
    await here.until(3, 2)
    await one.close()
    expect(here.told).toEqual(['r0', 'r0', 'r0'])
  })

  it('goes on when the log can be read again', async () => {
    const log = logOf()
    const here = following()
    const one = await followLog(here.follower, log.ports)
    log.records.push(decision(0, 'ops'))
    log.state.isBroken = true
    const failed = new Promise<void>((resolve) => {
      log.ports.onFailure = (error) => {
        log.failures.push(error)
        log.state.isBroken = false
        resolve()
      }
    })
    one.wake()
    await failed
    await here.until(1)
    await one.close()
    expect(log.failures).toHaveLength(1)
    expect(here.told).toEqual(['r0'])
  })
})

describe('giving records to a follower', () => {
  afterEach(() => void vi.useRealTimers())

  /** A follower of all kinds that answers what `answers` says, and takes the rest. */
  function taking(...answers: Taken[]) {
    const given: string[][] = []
    const follower: LogFollower = {
      reader: 'x',
      recordsAtOnce: 2,
      from: 'beginning',
      async take(records) {
        given.push(records.map(({ id }) => id))
        return answers.shift() ?? { done: records.length, refused: null }
      },
      onChange() {},
    }
    return { follower, given }
  }

  it('begins at the beginning where it asks to, and gives a bounded number at once, of every kind', async () => {
    const log = logOf(decision(0, null), { ...decision(1, null), kind: 'outcome' }, decision(2, null))
    const here = taking()
    const one = await followLog(here.follower, log.ports)
    one.wake()
    await one.close()
    expect(here.given).toEqual([['r0', 'r1']])
    const again = await followLog(here.follower, log.ports)
    again.wake()
    await vi.waitFor(() => expect(log.kept.get('x')).toBe('r2'))
    await again.close()
    expect(here.given).toEqual([['r0', 'r1'], ['r2']])
  })

  it('keeps what was taken of a batch, waits as long as it is asked to, and says where it is', async () => {
    vi.useFakeTimers()
    const log = logOf(decision(0, null), decision(1, null))
    const here = taking({ done: 1, refused: 'busy', retryAfterMs: 500 })
    const ports = { ...log.ports, pausesMs: { first: 10, longest: 1000 } }
    const one = await followLog(here.follower, ports)
    one.wake()
    await vi.advanceTimersByTimeAsync(0)
    expect(log.kept.get('x')).toBe('r0')
    expect(one.state()).toEqual({ position: 'r0', taken: 1, refusals: 1, failing: 'busy', waitingSinceMs: 0 })
    one.wake()
    await vi.advanceTimersByTimeAsync(499)
    expect(here.given).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(1)
    expect(here.given).toEqual([['r0', 'r1'], ['r1']])
    expect(one.state()).toEqual({ position: 'r1', taken: 2, refusals: 1, failing: null, waitingSinceMs: null })
    await one.close()
  })

  it.each([
    ['waits no longer each time for one that takes something before it refuses', 1, 6],
    ['waits longer each time for one that takes nothing', 0, 3],
  ])('%s', async (_what, done, attempts) => {
    vi.useFakeTimers()
    const log = logOf(...Array.from({ length: 8 }, (_, index) => decision(index, null)))
    const here = taking(...Array.from({ length: 8 }, () => ({ done, refused: 'busy' })))
    const one = await followLog(here.follower, { ...log.ports, pausesMs: { first: 10, longest: 1000 } })
    one.wake()
    // Five pauses of 10 ms, or one of 10 and one of 20.
    await vi.advanceTimersByTimeAsync(55)
    expect(here.given).toHaveLength(attempts)
    await one.close()
  })

  it('waits no longer than the longest pause, whatever it is asked', async () => {
    vi.useFakeTimers()
    const log = logOf(decision(0, null))
    const here = taking({ done: 0, refused: 'busy', retryAfterMs: 1e12 })
    const one = await followLog(here.follower, { ...log.ports, pausesMs: { first: 10, longest: 1000 } })
    one.wake()
    await vi.advanceTimersByTimeAsync(1000)
    expect(log.kept.get('x')).toBe('r0')
    await one.close()
  })
})
