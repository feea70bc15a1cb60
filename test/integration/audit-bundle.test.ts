import { execFileSync } from 'node:child_process'
import { appendFileSync, cpSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { exportLog, verifyLogBundle } from '../../src/app/index.ts'
import { keptDirectory } from '../support/kept-directory.ts'
import { logCalls, loggedPeriod } from '../support/logged-calls.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const original = keptDirectory()
const bundle = join(original, 'bundle')
let publicKey: string

beforeAll(async () => {
  const dataDirectory = await logCalls(original, 450)
  publicKey = readFileSync(join(dataDirectory, 'audit.pub'), 'utf8')
  await exportLog(dataDirectory, 'main', bundle)
})

/** A copy of the bundle that was spoiled. */
function spoiled(change: (directory: string) => void): string {
  const directory = join(temporaryDirectory(), 'bundle')
  cpSync(bundle, directory, { recursive: true })
  change(directory)
  return directory
}

function editRecords(directory: string, edit: (lines: string[]) => void): void {
  const path = join(directory, loggedPeriod, 'records.jsonl')
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
  edit(lines)
  writeFileSync(path, `${lines.join('\n')}\n`)
}

const verify = (directory: string, kept: readonly string[] = []) => verifyLogBundle(directory, publicKey, kept)

/** Places of the first record that is said to be bad. */
async function firstBad(edit: (lines: string[]) => void): Promise<number | null> {
  const { json } = await verify(spoiled((directory) => editRecords(directory, edit)))
  expect(json.ok).toBe(false)
  return json.problems.find(({ subject }) => subject === 'record')?.index ?? null
}

describe('a bundle of the log', () => {
  it('is verified with the public key alone, and holds neither bodies nor other namespaces', async () => {
    const report = await verify(bundle)
    expect(report.json).toMatchObject({ ok: true, namespace: 'main', size: 720, unfinished: 0 })
    expect(report.json.records).toEqual({ checked: 720, failed: 0 })
    expect(report.json.tiles).toEqual({ checked: 4, failed: 0 })
    const text = readFileSync(join(bundle, loggedPeriod, 'records.jsonl'), 'utf8')
    expect(text).not.toContain('"country"')
    expect(text).not.toContain('"namespace":"side"')
    expect(readdirSync(join(bundle, loggedPeriod, 'tile', '0')).toSorted()).toEqual(['000', '001', '002.p'])
  })

  it('names the first record that was changed, deleted, inserted or moved', async () => {
    expect(await firstBad((lines) => (lines[300] = lines[300]?.replace('"allow"', '"deny"') ?? ''))).toBe(300)
    expect(await firstBad((lines) => lines.splice(17, 1))).toBe(17)
    expect(await firstBad((lines) => lines.splice(40, 0, lines[3] ?? ''))).toBe(40)
    expect(await firstBad((lines) => lines.splice(500, 2, lines[501] ?? '', lines[500] ?? ''))).toBe(500)
    expect(await firstBad((lines) => (lines[719] = 'x'))).toBe(719)
  })

  it('says that it was cut off, or goes on beyond what was signed', async () => {
    const cut = await verify(spoiled((directory) => editRecords(directory, (lines) => lines.splice(710))))
    expect(cut.text).toContain('The newest 10 records are missing')
    const longer = await verify(
      spoiled((directory) => editRecords(directory, (lines) => lines.push(lines.at(-1) ?? ''))),
    )
    expect(longer.text).toContain('1 records that no signature covers')
  })

  it.each([
    ['a tile is missing', (at: string) => rmSync(join(at, loggedPeriod, 'tile', '0', '001')), 'A tile is missing'],
    [
      'a tile was changed',
      (at: string) => writeFileSync(join(at, loggedPeriod, 'tile', '1', '000.p', '2'), Buffer.alloc(64)),
      'A tile is not the one of these records',
    ],
    [
      'a tile is a pipe',
      (at: string) => {
        rmSync(join(at, loggedPeriod, 'tile', '0', '000'))
        execFileSync('/usr/bin/mkfifo', [join(at, loggedPeriod, 'tile', '0', '000')])
      },
      'A tile is missing',
    ],
    [
      'the records are a link',
      (at: string) => {
        rmSync(join(at, loggedPeriod, 'records.jsonl'))
        symlinkSync(join(bundle, loggedPeriod, 'records.jsonl'), join(at, loggedPeriod, 'records.jsonl'))
      },
      'records are missing',
    ],
    ['the checkpoint is gone', (at: string) => rmSync(join(at, loggedPeriod, 'checkpoint')), 'There is no checkpoint'],
    [
      'the checkpoint was changed',
      (at: string) => {
        const note = readFileSync(join(at, loggedPeriod, 'checkpoint'), 'utf8')
        writeFileSync(join(at, loggedPeriod, 'checkpoint'), note.replace('\n720\n', '\n721\n'))
      },
      'no good signature',
    ],
    [
      'a checkpoint of the history is a forgery',
      (at: string) => appendFileSync(join(at, loggedPeriod, 'checkpoints.jsonl'), '"a note"\n'),
      'no good signature by the key of this log',
    ],
  ])('is refused where %s', async (_, change, sentence) => {
    const { ok, text } = await verify(spoiled(change))
    expect(ok).toBe(false)
    expect(text).toContain(sentence)
  })

  it('is refused under the key of another log', async () => {
    const other = readFileSync(join(await logCalls(join(temporaryDirectory(), 'other'), 1), 'audit.pub'), 'utf8')
    expect((await verifyLogBundle(bundle, other, [])).ok).toBe(false)
  })

  it('shows by a checkpoint that was kept elsewhere that it is older, and bears one that it holds', async () => {
    const notes = readFileSync(join(bundle, loggedPeriod, 'checkpoints.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
    const kept = notes.map((line) => JSON.parse(line) as string)
    expect((await verify(bundle, kept)).ok).toBe(true)
    const [first] = kept
    const older = spoiled((directory) => {
      const size = Number(first?.split('\n')[1])
      writeFileSync(join(directory, loggedPeriod, 'checkpoint'), first ?? '')
      writeFileSync(join(directory, loggedPeriod, 'checkpoints.jsonl'), `${notes[0]}\n`)
      editRecords(directory, (lines) => lines.splice(size))
    })
    const report = await verify(older, [kept.at(-1) ?? ''])
    expect(report.text).toContain('the log was put back, or the bundle is older')
  })

  it('is written to a directory of its own only', async () => {
    await expect(exportLog(join(original, 'data'), 'main', bundle)).rejects.toThrow(/holds something already/)
    await expect(exportLog(join(original, 'data'), 'nowhere', join(temporaryDirectory(), 'b'))).rejects.toThrow(
      /no signed record of nowhere/,
    )
  })
})
