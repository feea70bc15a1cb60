import { expect, it } from 'vitest'
import type { RecordDraft } from '../../audit/index.ts'
import { watchPlaces, type Place } from './watch-places.ts'

/** A watch over places that a test changes, at a time that it sets. */
function watching() {
  const time = { ms: 1_780_000_000_000 }
  const told: unknown[] = []
  const state = { places: [] as Place[], isLogBroken: false }
  const failures: unknown[] = []
  const watch = watchPlaces({
    places: async () => state.places,
    decisionLog: {
      async append(draft: RecordDraft) {
        if (state.isLogBroken) throw new Error('the disk is full')
        expect(draft).toMatchObject({ kind: 'alarm', namespace: 'platform' })
        told.push('event' in draft ? draft.event : null)
        return { id: 'r', namespace: 'platform', index: 0 }
      },
    },
    clock: { nowMs: () => time.ms, monotonicMs: () => time.ms },
    alarmAfterMs: 300_000,
    onFailure: (error) => failures.push(error),
  })
  const look = async (afterMs: number, ...places: Partial<Place>[]): Promise<unknown[]> => {
    time.ms += afterMs
    state.places = places.map((place) => ({ name: 'exporter siem', failing: null, lost: 0, ...place }))
    const before = told.length
    await watch.look()
    return told.slice(before)
  }
  return { look, watch, state, failures }
}

it('raises an alarm once where a place fails for long, and says when it is well again', async () => {
  const { look, watch } = watching()
  const bad = { failing: 'status 503' }
  expect(await look(0, bad)).toEqual([])
  expect(await look(299_999, bad)).toEqual([])
  const since = new Date(1_780_000_000_000).toISOString()
  const alarm = { type: 'receiver-failing', where: 'exporter siem', problem: 'status 503', since }
  expect(await look(1, bad, { name: 'channel desk' })).toEqual([alarm])
  expect(await look(3_000_000, bad)).toEqual([])
  expect(await look(1, {})).toEqual([{ type: 'receiver-recovered', where: 'exporter siem' }])
  expect(await look(1, {})).toEqual([])
  await watch.close()
})

it('raises none for a place that fails now and then', async () => {
  const { look, watch } = watching()
  for (let at = 0; at < 10; at += 1) {
    expect(await look(200_000, { failing: 'unreachable' })).toEqual([])
    expect(await look(200_000, {})).toEqual([])
  }
  await watch.close()
})

it('tells at once of what a place will never have, and then the sum of an hour', async () => {
  const { look, watch } = watching()
  const loses = (records: number): object => ({ type: 'receiver-loses', where: 'exporter siem', records })
  expect(await look(0, { lost: 2 })).toEqual([loses(2)])
  expect(await look(60_000, { lost: 5 })).toEqual([])
  expect(await look(60_000, { lost: 9 })).toEqual([])
  expect(await look(3_600_000, { lost: 9 })).toEqual([loses(7)])
  // A thread that was begun again counts from zero.
  expect(await look(3_600_000, { lost: 1 })).toEqual([])
  expect(await look(3_600_000, { lost: 3 })).toEqual([loses(2)])
  await watch.close()
})

it('tells later what could not be recorded', async () => {
  const { look, watch, state, failures } = watching()
  await look(0, { failing: 'unreachable' })
  state.isLogBroken = true
  expect(await look(300_000, { failing: 'unreachable' })).toEqual([])
  expect(await look(15_000, { failing: 'unreachable' })).toEqual([])
  expect(failures).toHaveLength(1)
  state.isLogBroken = false
  expect(await look(1, { failing: 'unreachable' })).toMatchObject([{ type: 'receiver-failing' }])
  await watch.close()
})
