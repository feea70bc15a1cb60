import { sign, verify } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Clock } from '../../kernel/index.ts'
import type { MasterKey } from '../master-key.ts'
import type { SigningKeyStore, StoredSigningKey } from './signing-key-store.ts'
import { createSigningKeys, type SigningKeys } from './signing-keys.ts'

const dayMs = 86_400_000
let nowMs: number
let rows: Map<string, StoredSigningKey>
const clock: Clock = { nowMs: () => nowMs, monotonicMs: () => nowMs }
const store: SigningKeyStore = {
  load: async () => [...rows.values()],
  insert: async (key) => void rows.set(key.kid, key),
  retire: async (kid, retiredAtMs) => {
    const row = rows.get(kid)
    if (row !== undefined) rows.set(kid, { ...row, retiredAtMs })
  },
  remove: async (kid) => void rows.delete(kid),
}
/** Not a cipher: what is sealed is marked with its purpose, and opens for no other. */
const masterKey: MasterKey = {
  seal: (purpose, plain) => Buffer.concat([Buffer.from(`${purpose}|`), plain.map((byte) => byte ^ 0xff)]),
  open: (purpose, sealed) => sealed.slice(Buffer.byteLength(`${purpose}|`)).map((byte) => byte ^ 0xff),
  derive: () => new Uint8Array(32),
}
const open = (algorithm: 'ES256' | 'EdDSA' = 'ES256'): Promise<SigningKeys> =>
  createSigningKeys({ store, masterKey, clock, algorithm, maxAgeMs: 90 * dayMs, publishedAfterMs: 360_000 })
const kids = (keys: SigningKeys): unknown => (keys.publicJwks().keys as { kid: string }[]).map(({ kid }) => kid)

beforeEach(() => {
  nowMs = 1_800_000_000_000
  rows = new Map()
})

describe('signing keys', () => {
  it('are the same after a restart, and their private halves are published nowhere', async () => {
    const first = await open()
    const second = await open()
    expect(second.current().kid).toBe(first.current().kid)
    const data = Buffer.from('data')
    const signature = sign('sha256', data, first.current().privateKey)
    const found = second.find(first.current().kid)
    expect(found !== null && verify('sha256', data, found.publicKey, signature)).toBe(true)
    expect(JSON.stringify(second.publicJwks())).not.toContain('"d"')
    expect(Buffer.from([...rows.values()][0]?.sealedPrivate ?? []).toString()).not.toContain('"d"')
  })

  it('are replaced when they are old, and published until the last token is over', async () => {
    const keys = await open()
    const old = keys.current().kid
    nowMs += 90 * dayMs
    await keys.tend()
    const current = keys.current().kid
    expect([current === old, kids(keys), keys.find(old) === null]).toEqual([false, [old, current], false])
    nowMs += 359_999
    await keys.tend()
    expect(kids(keys)).toEqual([old, current])
    nowMs += 1
    await keys.tend()
    expect([kids(keys), keys.find(old)]).toEqual([[current], null])
  })

  it('are made anew for another algorithm', async () => {
    const before = (await open()).current()
    const keys = await open('EdDSA')
    expect([keys.current().algorithm, keys.find(before.kid)?.algorithm]).toEqual(['EdDSA', 'ES256'])
  })
})
