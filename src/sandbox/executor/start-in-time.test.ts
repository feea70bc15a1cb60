import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import type { Jail } from '../sandbox-engine.ts'
import { startInTime } from './start-in-time.ts'

const patientMs = 60_000

function jailThat(kill: () => void): Jail {
  const streams = { channel: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() }
  return { ...streams, pid: Promise.resolve(1), ended: Promise.resolve({ exitCode: 0 }), kill }
}

describe('a start', () => {
  test('gives the jail, which is left alone', async () => {
    let kills = 0
    const jail = jailThat(() => (kills += 1))
    expect(await startInTime(jail, patientMs, new AbortController().signal)).toBe(jail)
    expect(await startInTime(Promise.resolve(jail), patientMs, undefined)).toBe(jail)
    expect(kills).toBe(0)
  })

  test('says why the engine could not', async () => {
    await expect(startInTime(Promise.reject(new Error('no room')), patientMs, undefined)).rejects.toThrow('no room')
  })

  test.each(['before', 'after'])(
    'ends when it is called off %s it began, and a jail that comes later is killed',
    async (when) => {
      const [late, killed] = [Promise.withResolvers<Jail>(), Promise.withResolvers<undefined>()]
      const abort = new AbortController()
      if (when === 'before') abort.abort()
      const started = startInTime(late.promise, patientMs, abort.signal)
      abort.abort()
      await expect(started).rejects.toThrow('it was cancelled')
      late.resolve(jailThat(() => killed.resolve(undefined)))
      await killed.promise
    },
  )

  test('ends when it takes too long', async () => {
    await expect(startInTime(new Promise<Jail>(() => undefined), 1, undefined)).rejects.toThrow(
      'it did not start in time',
    )
  })
})
