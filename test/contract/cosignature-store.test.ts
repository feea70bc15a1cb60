import { describe, expect, it } from 'vitest'
import type { StoredCosignature } from '../../src/audit/index.ts'
import { implementations, opened } from './implementations.ts'

const cosignature = (size: number, more: Partial<StoredCosignature> = {}): StoredCosignature => ({
  namespace: 'demo',
  period: '2026-11',
  size,
  witness: 'witness.example/w1',
  timeSeconds: 1_795_000_000 + size,
  line: `\u2014 witness.example/w1 line-of-${size}\n`,
  ...more,
})

describe.each(implementations)('cosignatures in $name', ({ place }) => {
  it('are kept as they came, over a restart, those of the largest size first', async () => {
    const here = place()
    const first = await here.open()
    expect(await first.cosignatures.list('demo', '2026-11')).toEqual([])
    const kept = [cosignature(7), cosignature(300), cosignature(300, { witness: 'witness.example/w2' }), cosignature(9)]
    for (const one of kept) await first.cosignatures.add(one)
    await first.close()
    const { cosignatures } = await opened(here)
    const [seven, large, other, nine] = kept
    expect(await cosignatures.list('demo', '2026-11')).toEqual([large, other, nine, seven])
  })

  it('are those of one tree alone, also of one that has no period', async () => {
    const { cosignatures } = await opened(place())
    const trees = [
      cosignature(5),
      cosignature(5, { period: '2026-12' }),
      cosignature(5, { period: '' }),
      cosignature(5, { namespace: 'other' }),
    ]
    for (const one of trees) await cosignatures.add(one)
    for (const one of trees) expect(await cosignatures.list(one.namespace, one.period)).toEqual([one])
    expect(await cosignatures.list('other', '2026-12')).toEqual([])
  })

  it('are the newest that came of a witness and size', async () => {
    const { cosignatures } = await opened(place())
    await cosignatures.add(cosignature(5))
    const again = cosignature(5, { timeSeconds: 1_796_000_000, line: '\u2014 witness.example/w1 again\n' })
    await cosignatures.add(again)
    expect(await cosignatures.list('demo', '2026-11')).toEqual([again])
  })

  it('are sixteen of each witness and tree at most, those of the largest sizes', async () => {
    const { cosignatures } = await opened(place())
    const other = [cosignature(1, { witness: 'witness.example/w2' }), cosignature(1, { namespace: 'other' })]
    for (const one of other) await cosignatures.add(one)
    const sizes = Array.from({ length: 40 }, (_, at) => at + 1)
    await Promise.all(sizes.map((size) => cosignatures.add(cosignature(size))))
    // One that is smaller than all of those comes too late.
    await cosignatures.add(cosignature(0))
    const kept = (await cosignatures.list('demo', '2026-11')).filter(({ witness }) => witness.endsWith('w1'))
    expect(kept.map(({ size }) => size)).toEqual(sizes.slice(-16).toReversed())
    expect(await cosignatures.list('demo', '2026-11')).toContainEqual(other[0])
    expect(await cosignatures.list('other', '2026-11')).toEqual([other[1]])
  })
})
