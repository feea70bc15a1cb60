import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { citedIn, requirements, verifies } from './requirements.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const files = globSync(['src/http/**/*.test.ts', 'test/{integration,attacks,conformance}/**/*.test.ts'], { cwd: root })
const cited = new Set(
  files
    .filter((file) => !file.endsWith('requirements.test.ts'))
    .flatMap((file) => citedIn(readFileSync(`${root}${file}`, 'utf8'))),
)

it('cites every requirement in at least one test', () => {
  expect(requirements.map(({ id }) => id).filter((id) => !cited.has(id))).toEqual([])
})

it('names every requirement once', () => {
  const ids = requirements.map(({ id }) => id)
  expect(new Set(ids).size).toBe(ids.length)
})

it('sees a citation, also over a line break, and none where there is none', () => {
  expect(citedIn("it(verifies('post-only', 'x'), f); it(verifies(\n  'discover', 'y'), f)")).toEqual([
    'post-only',
    'discover',
  ])
  expect(citedIn("it('post-only', f)")).toEqual([])
})

it('refuses to cite what is not a requirement', () => {
  expect(() => verifies('no-such-thing', 'x')).toThrow('there is no requirement no-such-thing')
})
