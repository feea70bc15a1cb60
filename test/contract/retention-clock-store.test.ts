import { describe, expect, it } from 'vitest'
import { implementations, opened } from './implementations.ts'

describe.each(implementations)('the time that retention has counted up to in $name', ({ place }) => {
  it('is the one that was kept last, over a restart, and null before the first', async () => {
    const here = place()
    const first = await here.open()
    expect(await first.retentionClock.find()).toBeNull()
    await first.retentionClock.keep(1_790_000_000_000)
    await first.retentionClock.keep(1_800_000_000_001)
    await first.close()
    const { retentionClock } = await opened(here)
    expect(await retentionClock.find()).toBe(1_800_000_000_001)
  })
})
