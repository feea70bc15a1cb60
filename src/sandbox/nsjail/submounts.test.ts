import { expect, test } from 'vitest'
import { withSubmounts } from './submounts.ts'

test('binds by itself what is mounted below a bind, so that it becomes read-only as well', () => {
  const line = (point: string): string => `36 35 98:0 / ${point} rw,noatime master:1 - ext3 /dev/root rw`
  const mountInfo = ['/', '/usr', '/usr/lib/a', '/usr/lib/a/with\\040space', '/usr/library'].map(line).join('\n')
  const binds = [
    ['/usr/lib', '/lib'],
    ['/opt/bun', '/usr/bin/bun'],
  ] as const
  expect(withSubmounts(binds, mountInfo)).toEqual([
    ['/usr/lib', '/lib'],
    ['/usr/lib/a', '/lib/a'],
    ['/usr/lib/a/with space', '/lib/a/with space'],
    ['/opt/bun', '/usr/bin/bun'],
  ])
})
