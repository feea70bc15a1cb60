import { posix } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JsonObject, JsonValue } from '../../kernel/index.ts'
import { path, paths } from './path.ts'
import { readPath } from './read-path.ts'

const read = (value: JsonValue, settings: JsonObject = {}) =>
  path.extract([{ argument: 'file', value }], { case: 'keep', ...settings })

const factOf = (value: JsonValue, settings?: JsonObject): unknown => {
  const extracted = read(value, settings)
  return extracted.ok ? extracted.value : extracted.problem
}

describe('a path that leads where it says', () => {
  it.each<[string, JsonObject, object]>([
    [
      '/srv/data/Report.PDF',
      {},
      {
        path: '/srv/data/Report.PDF',
        absolute: true,
        ancestors: ['/', '/srv', '/srv/data', '/srv/data/Report.PDF'],
        depth: 3,
        name: 'Report.PDF',
        extension: 'pdf',
        segments: ['Report.PDF', 'data', 'srv'],
      },
    ],
    ['a/b.txt', {}, { path: 'a/b.txt', absolute: false, ancestors: ['a', 'a/b.txt'], extension: 'txt' }],
    ['./a//b/', {}, { path: 'a/b', depth: 2, extension: '' }],
    ['/', {}, { path: '/', absolute: true, ancestors: ['/'], depth: 0, name: '' }],
    ['.', {}, { path: '.', absolute: false, ancestors: ['.'], depth: 0 }],
    ['.ssh/id', {}, { segments: ['.ssh', 'id'], extension: '' }],
    ['.env', {}, { name: '.env', extension: '' }],
    ['a.tar.gz', {}, { extension: 'gz' }],
    ['Ünïcode/naïve.txt', {}, { path: 'Ünïcode/naïve.txt' }],
    ['a/b', { base: '/srv/data' }, { path: '/srv/data/a/b', absolute: true }],
    ['a', { base: '/' }, { path: '/a' }],
    ['.', { base: '/srv' }, { path: '/srv' }],
    ['/etc/passwd', { base: '/srv/data' }, { path: '/etc/passwd' }],
    ['/SRV/Data/X', { case: 'lower' }, { path: '/srv/data/x', ancestors: ['/', '/srv', '/srv/data', '/srv/data/x'] }],
    ['100%/x', {}, { path: '100%/x' }],
  ])('%s with %j', (text, settings, expected) => {
    expect(factOf(text, settings)).toMatchObject(expected)
  })
})

describe('a path that could lead elsewhere', () => {
  const disguised = 'holds characters that some systems turn into others'
  const hidden = 'holds a line break, or an invisible or control character'
  it.each<[JsonValue, string]>([
    ['../etc/passwd', 'holds ".."'],
    ['/srv/data/../../etc', 'holds ".."'],
    ['a/..', 'holds ".."'],
    ['..', 'holds ".."'],
    ['a/.../b', 'holds a segment with a space at an end, or a dot at its end'],
    ['a/.. /b', 'holds a segment with a space at an end, or a dot at its end'],
    ['secret.txt.', 'holds a segment with a space at an end, or a dot at its end'],
    ['a /b', 'holds a segment with a space at an end, or a dot at its end'],
    ['/a/ b', 'holds a segment with a space at an end, or a dot at its end'],
    ['a\\..\\b', 'holds a backslash, which some systems take for a slash'],
    ['\\\\server\\share', 'holds a backslash, which some systems take for a slash'],
    ['//server/share', 'begins with two slashes'],
    ['C:/Windows', 'holds a colon: a drive, a stream or a scheme'],
    ['file.txt::$DATA', 'holds a colon: a drive, a stream or a scheme'],
    ['file:///etc/passwd', 'holds a colon: a drive, a stream or a scheme'],
    ['%2e%2e/etc', 'holds percent-encoding'],
    ['%252e%252e/etc', 'holds percent-encoding'],
    ['a%2fb', 'holds percent-encoding'],
    ['a%00.txt', 'holds percent-encoding'],
    ['a\u0000.txt', hidden],
    ['a\n/b', hidden],
    ['a\u200b/..', hidden],
    ['\u202egnp.exe', hidden],
    ['\ufeff/etc', hidden],
    ['～/x', disguised],
    ['‥/etc/passwd', disguised],
    ['．．/etc', disguised],
    ['․․/etc', disguised],
    ['..／etc', disguised],
    ['..∕etc', disguised],
    ['..⁄etc', disguised],
    ['a＼b', disguised],
    ['cafe\u0301', disguised],
    ['~/x', 'holds "~" in front of a segment'],
    ['a/~root/x', 'holds "~" in front of a segment'],
    ['$HOME/x', 'holds characters that some readers expand'],
    ['a/{b,../../etc}', 'holds characters that some readers expand'],
    ['/srv/*', 'holds characters that some readers expand'],
    ['/srv/a?', 'holds characters that some readers expand'],
    ['`id`', 'holds characters that some readers expand'],
    ['', 'is an empty path'],
    ['a/'.repeat(33), 'has more than 32 segments'],
    ['a'.repeat(256), 'holds a segment that is too long'],
    ['é'.repeat(128), 'holds a segment that is too long'],
    ['a/'.repeat(2_100), 'is longer than 4096 bytes'],
    [7, 'is not text'],
    [['a'], 'is not text'],
  ])('%j', (value, problem) => {
    expect(factOf(value)).toBe(problem)
  })
})

describe('any text as a path', () => {
  const pieces = fc.constantFrom(
    '/',
    '//',
    '.',
    '..',
    '...',
    'a',
    'etc',
    '%2e',
    '\\',
    ' ',
    '~',
    '\u0000',
    '․',
    'srv',
    '//a',
  )
  const hostile = fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join(''))

  it('never leads out of the base that it is read under', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const extracted = read(text, { base: '/srv/data' })
        if (!extracted.ok) return
        const fact = extracted.value as { path: string; ancestors: string[] }
        // What the system would resolve: an independent reading.
        expect(posix.resolve('/srv/data', text)).toBe(fact.path)
        if (!text.startsWith('/')) expect(fact.ancestors).toContain('/srv/data')
      }),
      { numRuns: 1_000 },
    )
  })

  it('is the same when it is read again', () => {
    const again = (text: string): boolean => {
      const first = readPath(text)
      return typeof first === 'string' || JSON.stringify(readPath(first.path)) === JSON.stringify(first)
    }
    expect(() => fc.assert(fc.property(hostile, again))).not.toThrow()
  })
})

describe('several paths', () => {
  const together = (...values: JsonValue[]) =>
    paths.extract(
      values.map((value) => ({ argument: 'files', value })),
      { case: 'keep' },
    )

  it('are under the folders that all of them are under', () => {
    expect(together(['/srv/data/a.txt', '/srv/data/b/c.PNG'], '/srv/data')).toMatchObject({
      value: { absolute: true, ancestors: ['/', '/srv', '/srv/data'], count: 3, extensions: ['', 'png', 'txt'] },
      open: { count: 3, extensions: ['', 'png', 'txt'] },
    })
    expect(together(['/srv/data', '/srv/database'])).toMatchObject({ value: { ancestors: ['/', '/srv'] } })
    expect(together(['/srv/data', 'srv/data'])).toMatchObject({ value: { absolute: false, ancestors: [] } })
    expect(together([])).toMatchObject({ value: { absolute: false, ancestors: [], count: 0 } })
  })

  it('cannot be told where one of them cannot, or where there are too many', () => {
    expect(together(['/srv/data', '/srv/../etc'])).toMatchObject({ problem: 'holds ".."' })
    expect(together(Array<string>(101).fill('a'))).toMatchObject({ problem: 'holds more than 100 paths' })
    expect(together({ path: 'a' })).toMatchObject({ problem: 'is not text or a list of text' })
  })
})
