import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryDirectory } from '../../../test/support/temporary-directory.ts'
import { LineFile, type Line } from './line-file.ts'

const idOf = (line: string): string | null => {
  try {
    return (JSON.parse(line) as { id?: string }).id ?? null
  } catch {
    return null
  }
}
const line = (id: string, filling = ''): Line => ({ id, text: JSON.stringify({ id, filling }) })
const lines = (from: number, to: number): Line[] =>
  Array.from({ length: to - from }, (_, at) => line(`r${from + at}`, 'x'.repeat(80)))
const ids = (some: readonly Line[]): string[] => some.map(({ id }) => id)

/** A place for files, what writes to it, and what is in them. */
function place(maxBytes = 1000, files = 100) {
  const directory = temporaryDirectory()
  const path = join(directory, 'log.jsonl')
  const open = (): LineFile => new LineFile({ path, maxBytes, files, idOf })
  const read = (name: string): string[] =>
    readFileSync(join(directory, name), 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((text) => idOf(text) ?? `no line: ${text}`)
  const names = (): string[] =>
    readdirSync(directory).sort((one, other) => Number(other.split('.')[2] ?? 0) - Number(one.split('.')[2] ?? 0))
  return { path, open, read, names, all: () => names().flatMap(read) }
}
const good = { status: 'taken', rejected: 0, note: null }

describe('a file of lines', () => {
  it('holds what it was given, and gets a new name where it is full', async () => {
    const here = place()
    const file = here.open()
    for (let from = 0; from < 40; from += 5) expect(await file.take(lines(from, from + 5))).toEqual(good)
    expect(here.all()).toEqual(ids(lines(0, 40)))
    expect(here.names()).toEqual(['log.jsonl.4', 'log.jsonl.3', 'log.jsonl.2', 'log.jsonl.1', 'log.jsonl'])
    for (const name of here.names()) expect(here.read(name).length).toBeLessThanOrEqual(9)
  })

  it('keeps no more full files than it is to', async () => {
    const here = place(1000, 2)
    await here.open().take(lines(0, 60))
    expect(here.names()).toEqual(['log.jsonl.2', 'log.jsonl.1', 'log.jsonl'])
    expect(here.all()).toEqual(ids(lines(60 - here.all().length, 60)))
  })

  it('has a line that is longer than a file may be in one of its own', async () => {
    const here = place()
    await here.open().take([line('a'), line('long', 'x'.repeat(5000)), line('b')])
    expect(here.names().map(here.read)).toEqual([['a'], ['long'], ['b']])
  })

  it('is not given again what it has, by a server that does not know that it has it', async () => {
    const here = place()
    await here.open().take(lines(0, 25))
    expect(await here.open().take(lines(0, 30))).toEqual(good)
    expect(here.all()).toEqual(ids(lines(0, 30)))
  })

  it('loses the part of a line that was written when the server was killed, and gets the line once', async () => {
    for (const length of [1, 50, line('r3', 'x'.repeat(80)).text.length]) {
      const here = place()
      await here.open().take(lines(0, 3))
      appendFileSync(here.path, (lines(3, 4)[0]?.text ?? '').slice(0, length))
      expect(await here.open().take(lines(2, 6))).toEqual(good)
      expect(here.all()).toEqual(ids(lines(0, 6)))
    }
  })

  it('is begun anew where somebody took it away, or has turned it over as logs are', async () => {
    const here = place()
    const file = here.open()
    await file.take(lines(0, 3))
    renameSync(here.path, `${here.path}.1`)
    expect(await file.take(lines(3, 5))).toEqual(good)
    expect(here.all()).toEqual(ids(lines(0, 5)))
    rmSync(here.path)
    await file.take(lines(5, 6))
    expect(here.read('log.jsonl')).toEqual(['r5'])
  })

  it('goes on where it was killed while files got other names', async () => {
    const here = place(1000, 3)
    await here.open().take(lines(0, 35))
    expect(here.names()).toHaveLength(4)
    // As it is after the second of the names was changed.
    renameSync(`${here.path}.2`, `${here.path}.3`)
    renameSync(`${here.path}.1`, `${here.path}.2`)
    await here.open().take(lines(20, 44))
    expect(here.all()).toEqual(ids(lines(9, 44)))
  })

  it.each([
    ['words', 'remember the milk\n'],
    ['a line that was not written here behind one that could be', '{"id":"r0"}\n\n'],
    ['what has no lines', 'SQLite format 3\0'],
    ['a document in one line', '{"name":"settings","secret":1}'],
    ['bytes', Buffer.from([0, 255, 10, 254, 10])],
  ])('that holds %s is left as it is', async (_, content) => {
    const here = place()
    writeFileSync(here.path, content)
    const refusal = { status: 'refused', reason: 'it holds what was not written here', retryAfterMs: 0 }
    expect(await here.open().take(lines(0, 2))).toEqual(refusal)
    expect(readFileSync(here.path)).toEqual(Buffer.from(content))
  })

  it('is not written to where it is something else', async () => {
    const reasonAt = async (make: (path: string) => void): Promise<unknown> => {
      const here = place()
      make(here.path)
      return await here.open().take(lines(0, 2))
    }
    const other = join(temporaryDirectory(), 'other')
    writeFileSync(other, '')
    const answers = [
      await reasonAt((path) => symlinkSync(other, path)),
      await reasonAt((path) => mkdirSync(path)),
      await reasonAt((path) => void execFileSync('mkfifo', [path])),
      await reasonAt((path) => void execFileSync('mknod', [path, 'c', '1', '3'])),
      await new LineFile({ path: '/nowhere/log', maxBytes: 1000, files: 1, idOf }).take(lines(0, 2)),
    ]
    expect(answers).toMatchObject([
      { status: 'refused', reason: 'it is a link (ELOOP)' },
      { status: 'refused', reason: 'it cannot be written (EISDIR)' },
      { status: 'refused', reason: 'it is not a file' },
      { status: 'refused', reason: 'it is not a file' },
      { status: 'refused', reason: 'its directory is not there (ENOENT)' },
    ])
    expect(readFileSync(other, 'utf8')).toBe('')
  })
})
