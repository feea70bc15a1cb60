import { describe, expect, it } from 'vitest'
import {
  createMemoryProofReplayStore,
  createSharedProofReplayStore,
  type ProofReplayStore,
} from '../../src/auth/index.ts'
import type { Clock } from '../../src/kernel/index.ts'
import { implementations as storages, opened } from './implementations.ts'

const clock = () => {
  const own = { ms: 1_800_000_000_500, nowMs: () => own.ms, monotonicMs: () => own.ms }
  return own
}

const implementations: readonly { name: string; make: (clock: Clock) => Promise<ProofReplayStore> }[] = [
  { name: 'memory', make: async (own) => createMemoryProofReplayStore(own, 1000) },
  ...storages.map(({ name, place }) => ({
    name,
    make: async (own: Clock) => createSharedProofReplayStore((await opened(place())).usedAssertions, own),
  })),
]

describe.each(implementations)('used proofs in $name', ({ make }) => {
  it('are remembered until they expire, and each is taken once', async () => {
    const own = clock()
    const store = await make(own)
    expect(await store.remember('a', own.ms + 301_000)).toBe(true)
    expect(await store.remember('b', own.ms + 301_000)).toBe(true)
    own.ms += 300_900
    expect(await store.remember('a', own.ms + 301_000)).toBe(false)
    expect(await store.remember('c', own.ms + 301_000)).toBe(true)
    own.ms += 20_000
    expect(await store.remember('a', own.ms + 301_000)).toBe(true)
    expect(await store.remember('c', own.ms + 301_000)).toBe(false)
  })

  it('are taken from one of several callers at the same time', async () => {
    const own = clock()
    const store = await make(own)
    const taken = await Promise.all(Array.from({ length: 10 }, async () => store.remember('a', own.ms + 301_000)))
    expect(taken.filter(Boolean)).toHaveLength(1)
  })
})

describe('used proofs in memory', () => {
  it('are not taken beyond the limit, until some expire', () => {
    const own = clock()
    const store = createMemoryProofReplayStore(own, 2)
    expect(['a', 'b', 'c'].map((proof) => store.remember(proof, own.ms + 1000))).toEqual([true, true, false])
    own.ms += 20_000
    expect(store.remember('c', own.ms + 1000)).toBe(true)
  })

  it('are forgotten with a restart, so those from before it are told', () => {
    expect(createMemoryProofReplayStore(clock(), 2).rememberedSinceMs).toBe(1_800_000_000_000)
  })
})

describe.each(storages)('used proofs in $name', ({ place }) => {
  it('outlive a restart and are shared by all on the same store', async () => {
    const own = clock()
    const where = place()
    const first = await where.open()
    const store = createSharedProofReplayStore(first.usedAssertions, own)
    expect([await store.remember('a', own.ms + 301_000), store.rememberedSinceMs]).toEqual([true, 0])
    await first.close()
    expect(await store.remember('b', own.ms + 301_000)).toBe(false)
    const again = createSharedProofReplayStore((await opened(where)).usedAssertions, own)
    expect(await again.remember('a', own.ms + 301_000)).toBe(false)
    expect(await again.remember('b', own.ms + 301_000)).toBe(true)
  })
})
