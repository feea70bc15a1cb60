import { describe, expect, test } from 'vitest'
import type { SandboxSpec } from './sandbox.ts'
import { specProblem } from './spec-problem.ts'

const limits = {
  wallMs: 1,
  cpuMs: 1,
  memoryBytes: 1,
  processes: 1,
  openFiles: 1,
  scratchBytes: 1,
  resultBytes: 1,
  outputBytes: 1,
  innerCalls: 0,
}

function spec(paths: readonly string[], entry = paths[0] ?? ''): SandboxSpec {
  return {
    id: 'x',
    runtime: 'python',
    files: new Map(paths.map((path) => [path, Buffer.from('12345')])),
    entry: { file: entry, name: 'main' },
    inputJson: '{}',
    limits,
  }
}

describe('a spec', () => {
  test('with paths inside of the function is fine', () => {
    expect(specProblem(spec(['main.py', 'lib/inner/a b.py', '..data', 'é.csv']), 1000)).toBeNull()
  })

  test.each(['', '/etc/passwd', '../x', 'a/../../x', './x', 'a//b', 'a/', 'a\0b', 'a\\b', 'x'.repeat(513)])(
    'with the path %j is refused',
    (path) => {
      expect(specProblem(spec(['main.py', path]), 1000)).toContain('is no path inside of a function')
    },
  )

  test('with names that are too long together, or a limit that is no whole number, is refused', () => {
    const many = Array.from({ length: 2000 }, (_, n) => `${'é'.repeat(100)}${String(n)}`)
    expect(specProblem(spec(many), 1e9)).toBe('The names of the files of a function are too long together.')
    for (const wallMs of [Number.NaN, 1.5, -1]) {
      expect(specProblem({ ...spec(['main.py']), limits: { ...limits, wallMs } }, 1000)).toBe(
        'Limits are whole numbers.',
      )
    }
  })

  test('without its entry file, or over the size, is refused', () => {
    expect(specProblem(spec(['main.py'], 'other.py'), 1000)).toBe('The entry file "other.py" is not among the files.')
    expect(specProblem(spec(['main.py']), 6)).toBe('The files and the input of a function may have 6 bytes together.')
  })
})
