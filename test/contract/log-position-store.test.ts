import { describe, expect, it } from 'vitest'
import { implementations, opened } from './implementations.ts'

describe.each(implementations)('positions of readers of the log in $name', ({ place }) => {
  it('are kept for each reader over a restart, and null for one that is new', async () => {
    const here = place()
    const first = await here.open()
    expect(await first.logPositions.find('a')).toBeNull()
    await first.logPositions.keep('a', '')
    await first.logPositions.keep('b', 'r1')
    await first.logPositions.keep('b', 'r2')
    await first.close()
    const { logPositions } = await opened(here)
    expect(await Promise.all(['a', 'b', 'c'].map((reader) => logPositions.find(reader)))).toEqual(['', 'r2', null])
  })
})
