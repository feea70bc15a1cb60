import { describe, expect, it } from 'vitest'
import { createSignInLimits } from './sign-in-limits.ts'

function limited() {
  let nowMs = 0
  const limits = createSignInLimits({ nowMs: () => nowMs, monotonicMs: () => nowMs })
  return { limits, advance: (ms: number) => void (nowMs += ms) }
}

describe('attempts to sign in', () => {
  it('cost nothing five times, then wait twice as long each time, up to a quarter of an hour', () => {
    const { limits, advance } = limited()
    for (let at = 0; at < 5; at += 1) expect(limits.begin('anna', `10.0.0.${at}`)).toEqual({ waitSeconds: 0 })
    const waits: number[] = []
    for (let at = 0; at < 13; at += 1) {
      const { waitSeconds } = limits.begin('anna', `10.0.1.${at}`)
      waits.push(waitSeconds)
      advance(waitSeconds * 1000)
      expect(limits.begin('anna', `10.0.2.${at}`)).toEqual({ waitSeconds: 0 })
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900])
  })

  it('of one account that succeed clear it, and not the address that many accounts are tried from', () => {
    const { limits } = limited()
    for (let at = 0; at < 20; at += 1) {
      expect(limits.begin(`user-${at}`, '10.0.0.1')).toEqual({ waitSeconds: 0 })
      expect(limits.begin('mallory', '10.0.0.2')).toEqual({ waitSeconds: 0 })
      limits.succeeded('mallory', '10.0.0.2')
    }
    expect(limits.begin('another', '10.0.0.1')).toEqual({ waitSeconds: 1 })
    expect(limits.begin('another', '10.0.0.2')).toEqual({ waitSeconds: 0 })
  })

  it('are forgotten after an hour', () => {
    const { limits, advance } = limited()
    for (let at = 0; at < 5; at += 1) limits.begin('anna', '10.0.0.1')
    advance(3_600_001)
    for (let at = 0; at < 5; at += 1) expect(limits.begin('anna', '10.0.0.1')).toEqual({ waitSeconds: 0 })
    expect(limits.begin('anna', '10.0.0.1')).toEqual({ waitSeconds: 1 })
  })
})
