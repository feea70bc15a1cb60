import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import type { Jail, JailEnd } from '../sandbox-engine.ts'
import { SealedJail } from './sealed-jail.ts'

/** A jail of which nothing is ever heard, and whose process nobody knows until it has ended. */
function silentJail(): { jail: Jail; kills: () => number } {
  const pid = Promise.withResolvers<number | null>()
  const ended = Promise.withResolvers<JailEnd>()
  let kills = 0
  const kill = (): void => {
    kills += 1
    pid.resolve(null)
    ended.resolve({ exitCode: null })
  }
  const [channel, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
  // What is written to it does not come back out of it.
  channel.resume = () => channel
  return { jail: { channel, stdout, stderr, pid: pid.promise, ended: ended.promise, kill }, kills: () => kills }
}

test('a jail that never speaks is killed when the call is cancelled, and is not waited for', async () => {
  const { jail, kills } = silentJail()
  const abort = new AbortController()
  const made = SealedJail.make(jail, {
    setup: new Uint8Array(0),
    nonce: 'nonce',
    unsealedReason: () => null,
    group: null,
    signal: abort.signal,
  })
  abort.abort()
  expect(await made).toEqual({ ok: false, why: 'it was cancelled' })
  expect(kills()).toBe(1)
})
