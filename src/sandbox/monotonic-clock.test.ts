import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const folder = import.meta.dirname
/** Programs that run as hosted code in tests; nothing is measured by their clocks. */
const hostedCode = /(?:^|\/)(?:containment|bench)\//

const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
  (path) => /\.(?:ts|py)$/.test(path) && !path.endsWith('.test.ts') && !hostedCode.test(path),
)

test('no limit is measured by a clock that can be set: timers and performance.now() only go forward', () => {
  expect(sources.length).toBeGreaterThan(60)
  const readers = sources.filter((path) =>
    /\bDate\b|\btime\.time\(|hrtime\.|datetime/.test(readFileSync(join(folder, path), 'utf8')),
  )
  expect(readers).toEqual([])
  expect(readFileSync(join(folder, 'executor/execution.ts'), 'utf8')).toContain('performance.now()')
})
