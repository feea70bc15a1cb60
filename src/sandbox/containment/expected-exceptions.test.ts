import { expect, test } from 'vitest'
import { exceptionFor, type EngineSetting } from './expected-exceptions.ts'

const on = (engine: string, mode: 'fast' | 'fresh'): EngineSetting => ({
  engine,
  mode,
  kernel: 'host',
  noCgroups: null,
})

test('an engine without a fast path has the exceptions of jails that are made anew, in either mode', () => {
  const shown = 'proc.mount-table.typescript'
  expect(exceptionFor(shown, on('bubblewrap', 'fast'))).toBeUndefined()
  for (const setting of [on('bubblewrap', 'fresh'), on('crun', 'fast'), on('crun', 'fresh'), on('runc', 'fast')])
    expect([setting, exceptionFor(shown, setting)?.mode]).toEqual([setting, 'fresh'])
  expect(exceptionFor('siblings.hash-seed', on('bubblewrap', 'fast'))).toBeDefined()
  expect(exceptionFor('siblings.hash-seed', on('crun', 'fast'))).toBeUndefined()
})
