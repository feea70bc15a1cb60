import { beforeEach, describe, expect, it } from 'vitest'
import { verifies } from '../../../test/conformance/requirements.ts'
import type { Clock } from '../../kernel/index.ts'
import { createRequestStateSealer, type RequestStateSealer, type StateBinding } from './request-state.ts'

const binding: StateBinding = {
  principal: 'demo/alice',
  credential: 'key1',
  namespace: 'demo',
  method: 'tools/call',
  params: { name: 'ask', arguments: { a: 1 } },
}
let nowMs: number
let sealer: RequestStateSealer
const clock: Clock = { nowMs: () => nowMs, monotonicMs: () => nowMs }
const make = (maxUsed = 100): RequestStateSealer =>
  createRequestStateSealer({ key: new Uint8Array(32).fill(7), lifetimeSeconds: 60, clock, maxUsed })

beforeEach(() => {
  nowMs = 1_800_000_000_000
  sealer = make()
})

describe('a sealed state', () => {
  it('opens to what was sealed, whatever the order of the members', () => {
    const sealed = sealer.seal('round-1', binding)
    const same = { ...binding, params: { arguments: { a: 1 }, name: 'ask' } }
    expect(sealer.open(sealed, same)).toEqual({ ok: true, state: 'round-1' })
  })

  it('shows nothing of the state and never looks the same', () => {
    const sealed = sealer.seal('canary-state', binding)
    expect(Buffer.from(sealed, 'base64url').includes('canary-state')).toBe(false)
    expect(sealer.seal('canary-state', binding)).not.toBe(sealed)
  })

  it.each([
    ['another principal', { principal: 'demo/bob' }],
    ['another credential of the same principal', { credential: 'key2' }],
    ['another namespace', { namespace: 'other' }],
    ['another method', { method: 'prompts/get' }],
    ['another tool', { params: { name: 'pay', arguments: { a: 1 } } }],
    ['other arguments', { params: { name: 'ask', arguments: { a: 2 } } }],
  ])(verifies('state-sealed', 'does not open for %s'), (_what, change) => {
    const sealed = sealer.seal('round-1', binding)
    expect(sealer.open(sealed, { ...binding, ...change })).toEqual({ ok: false })
    expect(sealer.open(sealed, binding)).toEqual({ ok: true, state: 'round-1' })
  })

  it(verifies('state-sealed', 'opens once'), () => {
    const sealed = sealer.seal(null, binding)
    expect(sealer.open(sealed, binding)).toEqual({ ok: true, state: null })
    expect(sealer.open(sealed, binding)).toEqual({ ok: false })
  })

  it(verifies('state-sealed', 'does not open after its time, to the millisecond'), () => {
    const [early, late] = [sealer.seal('x', binding), sealer.seal('y', binding)]
    nowMs += 59_999
    expect(sealer.open(early, binding).ok).toBe(true)
    nowMs += 1
    expect(sealer.open(late, binding)).toEqual({ ok: false })
  })

  it(verifies('state-sealed', 'does not open with any bit changed, added or taken'), () => {
    const sealed = sealer.seal('round-1', binding)
    const bytes = Buffer.from(sealed, 'base64url')
    for (let index = 0; index < bytes.length; index += 1) {
      const changed = Buffer.from(bytes)
      changed[index] = (changed[index] ?? 0) ^ 1
      expect(sealer.open(changed.toString('base64url'), binding)).toEqual({ ok: false })
    }
    for (const text of [`${sealed}A`, sealed.slice(0, -1), `${sealed}-TAMPERED`, '', 'A', '%%%', `${sealed}=`]) {
      expect(sealer.open(text, binding)).toEqual({ ok: false })
    }
    expect(sealer.open(sealed, binding).ok).toBe(true)
  })

  it('does not open under another key', () => {
    const other = createRequestStateSealer({ key: new Uint8Array(32).fill(8), lifetimeSeconds: 60, clock, maxUsed: 9 })
    expect(other.open(sealer.seal('x', binding), binding)).toEqual({ ok: false })
  })

  it('is refused rather than taken twice when the memory of used ones is full, until they expire', () => {
    const small = make(2)
    for (const state of ['a', 'b']) expect(small.open(small.seal(state, binding), binding).ok).toBe(true)
    expect(small.open(small.seal('c', binding), binding)).toEqual({ ok: false })
    nowMs += 60_001
    expect(small.open(small.seal('d', binding), binding).ok).toBe(true)
  })
})
