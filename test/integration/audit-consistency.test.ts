import { chmodSync, cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { beforeAll, describe, expect, it } from 'vitest'
import { proveLogConsistency } from '../../src/app/index.ts'
import { checkConsistency, verifyDecisionLog } from '../../src/audit/index.ts'
import { openAuditReader, openStorage } from '../../src/storage/index.ts'
import { keptDirectory } from '../support/kept-directory.ts'
import { clockIn } from '../support/logged-calls.ts'
import { decisionDraft } from '../support/record-drafts.ts'

const original = keptDirectory()
const dataDirectory = join(original, 'data')
/** A copy of the log as it was after its first month, which somebody went on with otherwise. */
const fork = join(original, 'fork')
let publicKey: string
/** Every signed checkpoint of `main` and of `side`, oldest first. */
let notes: string[]
let forked: string[]
let side: string

/** Refused calls of one month, and then, where the month is to end with it, a change of the key. */
async function month(directory: string, period: string, calls: number, rotate = false): Promise<void> {
  const storage = await openStorage({ dataDirectory: directory, clock: clockIn(period) })
  await storage.decisionLog.append(decisionDraft({ namespace: 'side', effect: 'deny' }))
  const drafts = Array.from({ length: calls }, () => decisionDraft({ namespace: 'main', effect: 'deny' }))
  await Promise.all(drafts.map((draft) => storage.decisionLog.append(draft)))
  if (rotate) await storage.logKey.rotate()
  await storage.close()
}

function notesOf(directory: string, namespace: string): string[] {
  const database = new DatabaseSync(join(directory, 'audit.db'), { readOnly: true })
  const rows = database.prepare('SELECT note FROM checkpoints ORDER BY ordinal').all()
  database.close()
  return rows.map((row) => String(row['note'])).filter((note) => note.includes(`/${namespace}/`))
}

beforeAll(async () => {
  await month(dataDirectory, '2026-01', 700)
  publicKey = readFileSync(join(dataDirectory, 'audit.pub'), 'utf8')
  cpSync(dataDirectory, fork, { recursive: true })
  chmodSync(fork, 0o700)
  await month(dataDirectory, '2026-02', 300, true)
  await month(dataDirectory, '2026-05', 20)
  await month(fork, '2026-02', 301)
  notes = notesOf(dataDirectory, 'main')
  forked = notesOf(fork, 'main')
  side = notesOf(dataDirectory, 'side').at(-1) ?? ''
})

const parsed = (text: string) =>
  JSON.parse(text) as { closed: { consistency: string[]; record: string }[]; consistency: string[] }

describe('consistency between two checkpoints', () => {
  it('is proven for any two of a namespace, over months and a change of the key, and checked with the first key alone', async () => {
    expect(notes.length).toBeGreaterThanOrEqual(6)
    for (const [at, from] of notes.entries()) {
      for (const to of notes.slice(at)) {
        const proof = await proveLogConsistency(dataDirectory, from, to)
        expect(checkConsistency(proof, publicKey, { from, to })).toMatchObject({ ok: true })
      }
    }
  })

  it('is refused backwards, between namespaces, and to who kept other checkpoints', async () => {
    const [oldest = '', newest = ''] = [notes[0], notes.at(-1)]
    await expect(proveLogConsistency(dataDirectory, newest, oldest)).rejects.toThrow('is the newer one')
    await expect(proveLogConsistency(dataDirectory, oldest, side)).rejects.toThrow('different namespaces')
    const proof = await proveLogConsistency(dataDirectory, oldest, newest)
    expect(checkConsistency(proof, publicKey, { from: notes[1] ?? '' })).toMatchObject({ ok: false })
    expect(checkConsistency(proof, publicKey, { to: notes[1] ?? '' })).toMatchObject({ ok: false })
  })

  it('shows a fork: neither log proves the checkpoints of the other, and no mixture of their proofs does', async () => {
    const [oldest = '', newest = '', other = ''] = [notes[0], notes.at(-1), forked.at(-1)]
    await expect(proveLogConsistency(dataDirectory, oldest, other)).rejects.toThrow(/^FORK/)
    await expect(proveLogConsistency(fork, oldest, notes.at(-2) ?? '')).rejects.toThrow(/^FORK|no good signature/)
    const honest = await proveLogConsistency(dataDirectory, oldest, newest)
    const mixed = JSON.stringify({ ...JSON.parse(honest), to: other })
    expect(checkConsistency(mixed, publicKey)).toMatchObject({ ok: false, problem: expect.stringMatching(/^FORK/) })
    // Each of the two is good by itself: only who holds both sees that there are two.
    expect(checkConsistency(await proveLogConsistency(fork, oldest, other), publicKey)).toMatchObject({ ok: true })
    const reader = openAuditReader({ dataDirectory })
    expect(await verifyDecisionLog({ reader })).toMatchObject({ ok: true })
    const report = await verifyDecisionLog({ reader, keptCheckpoints: [other] })
    await reader.close()
    expect(report.problems.map(({ problem }) => problem).join('\n')).toContain('was signed over other records')
  })

  it('is refused where anything in the proof was changed', async () => {
    const proof = await proveLogConsistency(dataDirectory, notes[0] ?? '', notes.at(-1) ?? '')
    const good = parsed(proof)
    expect(good.closed).toHaveLength(2)
    const [first, second] = good.closed
    const zero = Buffer.alloc(32).toString('base64')
    const changed = [
      { ...good, closed: good.closed.slice(1) },
      { ...good, closed: good.closed.toReversed() },
      { ...good, closed: [{ ...first, consistency: [zero, ...(first?.consistency.slice(1) ?? [])] }, second] },
      { ...good, closed: [{ ...first, record: first?.record.replace('"run"', '"ruN"') }, second] },
      { ...good, consistency: [zero, ...good.consistency.slice(1)] },
      { ...good, consistency: [...good.consistency, zero] },
      { ...good, key_changes: [] },
      { ...good, from: notes[1] },
      { ...good, closed: 'x' },
    ]
    for (const one of changed) expect(checkConsistency(JSON.stringify(one), publicKey)).toMatchObject({ ok: false })
    expect(checkConsistency('nonsense', publicKey)).toMatchObject({ ok: false })
    expect(checkConsistency(proof, 'nonsense')).toMatchObject({ ok: false })
    expect(checkConsistency(proof, publicKey)).toMatchObject({ ok: true })
  })
})

describe('verification of a log that is written to', () => {
  it('finds nothing wrong while records, months and keys come', async () => {
    const directory = join(original, 'live')
    let period = 1
    const storage = await openStorage({
      dataDirectory: directory,
      clock: { ...clockIn('2026-01'), nowMs: () => Date.UTC(2026, period) },
    })
    let writing = true
    const write = async () => {
      while (writing) await storage.decisionLog.append(decisionDraft({ namespace: 'main', effect: 'deny' }))
    }
    const writers = [write(), write(), write()]
    const checked: number[] = []
    for (let round = 0; round < 12; round++) {
      const reader = openAuditReader({ dataDirectory: directory })
      const report = await verifyDecisionLog({ reader })
      await reader.close()
      expect(report).toMatchObject({ ok: true, problems: [] })
      checked.push(report.records.checked)
      if (round % 3 === 1) period += 1
      if (round % 4 === 2) await storage.logKey.rotate()
    }
    writing = false
    await Promise.all(writers)
    await storage.close()
    expect(checked.at(-1)).toBeGreaterThan(checked[0] ?? 0)
  })
})
