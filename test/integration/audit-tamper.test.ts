import { chmodSync, cpSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { leafHash, verifyDecisionLog, type VerifyOptions } from '../../src/audit/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { openAuditReader, openStorage } from '../../src/storage/index.ts'
import { decisionDraft, eventDraft, outcomeDraft } from '../support/record-drafts.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { keptDirectory } from '../support/kept-directory.ts'

const original = keptDirectory()
const dataDirectory = join(original, 'data')
const pairs = 300

beforeAll(async () => {
  const storage = await openStorage({ dataDirectory, clock: systemClock })
  const call = async (position: number) => {
    const decision = decisionDraft({ namespace: position % 4 === 0 ? 'side' : 'main' })
    await storage.decisionLog.append(decision)
    await storage.decisionLog.append(outcomeDraft(decision))
  }
  for (let group = 0; group < 10; group++) {
    await Promise.all(Array.from({ length: pairs / 10 }, (_, position) => call(position)))
  }
  await storage.decisionLog.append(eventDraft('policy-change', { hash: 'new' }, 'main'))
  await storage.close()
})

/** A copy of the log that the running test may spoil. */
function copy(): string {
  const path = join(temporaryDirectory(), 'data')
  cpSync(dataDirectory, path, { recursive: true })
  chmodSync(path, 0o700)
  return path
}

function spoil(directory: string, change: (database: DatabaseSync) => void): void {
  const database = new DatabaseSync(join(directory, 'audit.db'), { enableForeignKeyConstraints: false })
  change(database)
  database.close()
}

async function verify(directory: string, options: Omit<VerifyOptions, 'reader'> = {}, masterKey?: Uint8Array) {
  const reader = openAuditReader({ dataDirectory: directory, ...(masterKey === undefined ? {} : { masterKey }) })
  const report = await verifyDecisionLog({ reader, ...options })
  await reader.close()
  return report
}

interface Row {
  readonly seq: number
  readonly namespace: string
  readonly idx: number
  readonly id: string
  readonly json: string
}

function recordAt(database: DatabaseSync, seq: number): Row {
  const row = database
    .prepare('SELECT seq, namespace, idx, id, json FROM records JOIN logs USING (log) WHERE seq = ?')
    .get(seq)
  if (row === undefined) throw new Error(`no record ${seq}`)
  return row as unknown as Row
}

/** Spoils a copy and verifies it; gives the report and the record that was at `seq` before. */
async function spoiled(seq: number, change: (database: DatabaseSync, row: Row) => void) {
  const directory = copy()
  let row: Row | undefined
  spoil(directory, (database) => {
    row = recordAt(database, seq)
    change(database, row)
  })
  if (row === undefined) throw new Error('nothing was spoiled')
  return { row, report: await verify(directory) }
}

const named = ({ namespace, idx, id }: Row) => ({ namespace, index: idx, id })

/** Replaces a record's text and everything that somebody without any key can make fit again: its hash and the whole chain after it. */
function rewriteFrom(database: DatabaseSync, seq: number, change: (json: string) => string): void {
  const update = database.prepare('UPDATE records SET json = ?, leaf_hash = ? WHERE seq = ?')
  const rows = database.prepare('SELECT seq, json FROM records WHERE seq >= ? ORDER BY seq').all(seq)
  let previous: Buffer | null = null
  for (const row of rows) {
    const link = previous?.toString('hex')
    const json: string =
      link === undefined
        ? change(String(row['json']))
        : String(row['json']).replace(/"prev_hash":"sha256:[0-9a-f]{64}"/, `"prev_hash":"sha256:${link}"`)
    previous = leafHash(json)
    update.run(json, previous, Number(row['seq']))
  }
  database.prepare('UPDATE head SET last_hash = ?').run(previous)
}

const allow = (json: string) => json.replace('"principal":{"groups":["analysts"]', '"principal":{"groups":["auditors"]')

describe('verification of the decision log', () => {
  it('accepts the log as it was written', async () => {
    const report = await verify(copy())
    expect(report).toMatchObject({
      ok: true,
      records: { checked: 2 * pairs + 1, failed: 0 },
      tiles: { checked: 1, failed: 0 },
      bodies: { checked: 2 * pairs, failed: 0, unopened: 0 },
      unfinished: 0,
      headAuthenticated: true,
      firstProblem: null,
      problems: [],
    })
    expect(report.checkpoints.checked).toBeGreaterThanOrEqual(3)
    expect(report.namespaces.map(({ namespace, size, unsigned }) => ({ namespace, size, unsigned }))).toEqual([
      { namespace: 'main', size: 441, unsigned: 0 },
      { namespace: 'side', size: 160, unsigned: 0 },
    ])
  })

  it('accepts it without the master key, and says what could not be opened', async () => {
    const directory = copy()
    rmSync(join(directory, 'master.key'))
    expect(await verify(directory)).toMatchObject({
      ok: true,
      headAuthenticated: false,
      bodies: { checked: 2 * pairs, unopened: 2 * pairs },
    })
  })

  it('is not made good by a server that starts on a log which was rewritten without a key', async () => {
    const start = async (directory: string) => {
      const storage = await openStorage({ dataDirectory: directory, clock: systemClock })
      await storage.decisionLog.append(eventDraft('policy-change', { hash: 'newer' }, 'main'))
      await storage.close()
    }
    const rewritten = copy()
    spoil(rewritten, (database) => {
      // Without signatures and full tiles nothing but the head's authentication code is left that needs a key.
      database.exec('DELETE FROM checkpoints; UPDATE head SET checkpoints = 0')
      rewriteFrom(database, 500, allow)
    })
    await expect(start(rewritten)).rejects.toMatchObject({ code: 'storage_unavailable' })
    const headless = copy()
    spoil(headless, (database) => database.exec('DELETE FROM head'))
    await expect(start(headless)).rejects.toMatchObject({ code: 'storage_unavailable' })
    for (const directory of [rewritten, headless]) expect((await verify(directory)).ok).toBe(false)
    const untouched = copy()
    await start(untouched)
    expect(await verify(untouched)).toMatchObject({ ok: true, records: { checked: 2 * pairs + 2 } })
  })

  it('finds records before the first, whatever they say was let go', async () => {
    const event = { what: 'bodies', ranges: [[0, 400]], removed: 1, days: 1 }
    for (const kind of ['retention', 'approval']) {
      const { report } = await spoiled(0, (database, { json }) => {
        const forged = JSON.stringify({ ...JSON.parse(json), kind, event })
        database
          .prepare(
            `INSERT INTO records SELECT -1, log, 1000000, id, time_ms, ?, call, NULL, ?, ? FROM records
             WHERE log = (SELECT log FROM logs WHERE namespace = 'main') ORDER BY seq LIMIT 1`,
          )
          .run(kind, leafHash(forged), forged)
        if (kind === 'retention') database.exec('DELETE FROM bodies WHERE seq = 5')
      })
      expect(report.ok).toBe(false)
      expect(report.problems).toContainEqual(
        expect.objectContaining({ subject: 'head', problem: expect.stringContaining('outside of the order') }),
      )
    }
  })

  it('finds any one changed byte of any record, and names the record', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(2 * pairs),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        async (seq, place, difference) => {
          const { row, report } = await spoiled(seq, (database, { json }) => {
            const bytes = Buffer.from(json)
            const at = place % bytes.length
            bytes[at] = (bytes[at] ?? 0) ^ difference
            // As bytes, because a changed byte need not leave UTF-8 behind; the column keeps its type.
            database.prepare('UPDATE records SET json = CAST(? AS TEXT) WHERE seq = ?').run(bytes, seq)
          })
          expect(report.ok).toBe(false)
          expect(report.firstProblem).toMatchObject({ subject: 'record', ...named(row) })
          expect(report.records.failed).toBe(1)
        },
      ),
      { numRuns: 60 },
    )
  }, 120_000)

  it.each([
    ["id = 'another'", { id: 'another' }, /disagree on id/],
    ['time_ms = time_ms + 1', {}, /disagree on time/],
    ["kind = 'start'", {}, /disagree on kind/],
    ["call = 'another'", {}, /disagree on call/],
    ["principal = 'demo/other'", {}, /disagree on principal/],
    ['leaf_hash = zeroblob(32)', {}, /stored hash was changed/],
    ['leaf_hash = zeroblob(3)', {}, /stored hash was changed/],
    ['log = (SELECT max(log) + 1 FROM logs)', { namespace: null }, /disagree on namespace/],
    ['idx = 100000', { index: 100_000 }, /lies at position 100000; position .* is next/],
  ])('finds a record whose row was changed by: %s', async (assignment, difference, problem) => {
    const { row, report } = await spoiled(200, (database) => {
      database.exec(`UPDATE records SET ${assignment} WHERE seq = 200`)
    })
    expect(report.ok).toBe(false)
    expect(report.firstProblem).toMatchObject({ subject: 'record', ...named(row), ...difference })
    expect(report.firstProblem?.problem).toMatch(problem)
  })

  it.each([0, 1, 150, 2 * pairs - 1])('finds record %i deleted, and says where it was', async (seq) => {
    const { row, report } = await spoiled(seq, (database) => {
      database.prepare('DELETE FROM records WHERE seq = ?').run(seq)
    })
    expect(report.firstProblem).toMatchObject({ subject: 'record', namespace: row.namespace, index: row.idx })
    expect(report.firstProblem?.problem).toContain('missing here')
  })

  it('finds the newest record cut off', async () => {
    const { report } = await spoiled(2 * pairs, (database) => {
      database.prepare('DELETE FROM records WHERE seq = ?').run(2 * pairs)
    })
    const problems = report.problems.map(({ problem }) => problem)
    expect(problems).toContain(
      'A signed checkpoint covers 441 records, but only 440 are there: the newest were cut off.',
    )
    expect(problems).toContain('The newest 1 records are missing: the log was cut off.')
  })

  it('finds the newest records cut off together with checkpoints and a head made to fit', async () => {
    const { report } = await spoiled(2 * pairs, (database) => {
      const seq = 2 * pairs - 20
      database.exec(`DELETE FROM records WHERE seq >= ${seq}; DELETE FROM bodies WHERE seq >= ${seq}`)
      database.exec(
        'DELETE FROM checkpoints WHERE size > (SELECT max(idx) + 1 FROM records JOIN trees USING (log) WHERE trees.tree = checkpoints.tree)',
      )
      database.exec(
        `UPDATE head SET next_seq = ${seq}, last_hash = (SELECT leaf_hash FROM records WHERE seq = ${seq - 1}),
         checkpoints = (SELECT max(ordinal) FROM checkpoints), open_from = ${seq}`,
      )
    })
    expect(report.firstProblem).toMatchObject({
      subject: 'head',
      problem: expect.stringContaining('authentication code'),
    })
  })

  it("finds two records in each other's place", async () => {
    const { row, report } = await spoiled(100, (database) => {
      const [one, other] = [recordAt(database, 100), recordAt(database, 101)]
      const swap = database.prepare('UPDATE records SET id = ?, json = ?, leaf_hash = ? WHERE seq = ?')
      swap.run('held', '', Buffer.alloc(32), 100)
      swap.run(one.id, one.json, leafHash(one.json), 101)
      swap.run(other.id, other.json, leafHash(other.json), 100)
    })
    expect(report.ok).toBe(false)
    expect(report.firstProblem).toMatchObject({ subject: 'record', index: row.idx })
    expect(report.firstProblem?.problem).toContain('disagree')
    expect(report.records.failed).toBeGreaterThanOrEqual(2)
  })

  it('finds a record put in after the newest one', async () => {
    const { report } = await spoiled(0, (database) => {
      database.exec(
        `INSERT INTO records SELECT seq + 1000, log, idx + 1, 'forged', time_ms, kind, call || 'x', principal, leaf_hash, json
         FROM records WHERE seq = ${2 * pairs}`,
      )
    })
    expect(report.firstProblem?.problem).toContain('records beyond the newest that the head knows')
  })

  it('finds a record replaced together with its stored hash, by the record after it', async () => {
    const { row, report } = await spoiled(120, (database, { json }) => {
      const forged = json.replace('"run":"run-1"', '"run":"run-2"')
      database.prepare('UPDATE records SET json = ?, leaf_hash = ? WHERE seq = 120').run(forged, leafHash(forged))
    })
    expect(report.firstProblem).toMatchObject({
      subject: 'record',
      ...named(row),
      problem: 'The record after it names another hash: it was replaced.',
    })
  })

  it('finds a record whose link to the one before it was changed together with its own hash', async () => {
    const { row, report } = await spoiled(120, (database, { json }) => {
      const forged = json.replace(/(?<="prev_hash":"sha256:)../, (byte) => (byte === '00' ? '11' : '00'))
      database.prepare('UPDATE records SET json = ?, leaf_hash = ? WHERE seq = 120').run(forged, leafHash(forged))
    })
    expect(report.firstProblem).toMatchObject({ subject: 'record', ...named(row) })
  })

  it('finds the newest record replaced together with its hash and the head', async () => {
    const { report } = await spoiled(2 * pairs, (database) => {
      rewriteFrom(database, 2 * pairs, (json) => json.replace('"new"', '"old"'))
    })
    expect(report.ok).toBe(false)
    expect(report.problems).toContainEqual(expect.objectContaining({ subject: 'checkpoint', namespace: 'main' }))
  })

  it('finds a record rewritten with the whole chain after it, by tile and by signed checkpoint', async () => {
    const decided = 2
    const { row, report } = await spoiled(decided, (database) => rewriteFrom(database, decided, allow))
    expect(row.json).not.toBe(allow(row.json))
    expect(report.ok).toBe(false)
    expect(report.problems).toContainEqual(expect.objectContaining({ subject: 'tile', ...named(row) }))
    expect(report.problems).toContainEqual(expect.objectContaining({ subject: 'checkpoint', namespace: 'main' }))
    expect(report.problems).toContainEqual(expect.objectContaining({ subject: 'head' }))
  })

  it.each([
    [
      'UPDATE checkpoints SET note = replace(note, char(10) || size || char(10), char(10) || (size + 1) || char(10)) WHERE ordinal = 1',
      /no good signature/,
    ],
    ['UPDATE checkpoints SET size = size - 1 WHERE ordinal = 1', /is stored for \d+ records and signed for/],
    ['UPDATE checkpoints SET time_ms = time_ms + 1 WHERE ordinal = 1', /does not bear the time/],
    ['UPDATE checkpoints SET tree = 3 - tree WHERE ordinal = 1', /no good signature/],
    ['DELETE FROM checkpoints WHERE ordinal = 1', /Checkpoint 1 is missing/],
    ['DELETE FROM checkpoints WHERE ordinal = (SELECT max(ordinal) FROM checkpoints)', /Checkpoint \d+ is missing/],
    [
      'INSERT INTO checkpoints SELECT ordinal + 100, tree, size, time_ms, note FROM checkpoints WHERE ordinal = 1',
      /beyond the newest that the head knows/,
    ],
  ])('finds checkpoints spoiled by: %s', async (change, problem) => {
    const { report } = await spoiled(0, (database) => database.exec(change))
    expect(report.ok).toBe(false)
    expect(report.firstProblem?.problem).toMatch(problem)
  })

  it.each([
    ['UPDATE tiles SET hashes = CAST(zeroblob(32) || substr(hashes, 33) AS BLOB)', /holds other hashes/],
    ['UPDATE tiles SET root = zeroblob(32)', /root that is not its own/],
    ['DELETE FROM tiles', /Tile 0 of level 0 is missing/],
  ])('finds tiles spoiled by: %s', async (change, problem) => {
    const { report } = await spoiled(0, (database) => database.exec(change))
    expect(report).toMatchObject({ ok: false, tiles: { failed: 1 }, records: { failed: 0 } })
    expect(report.firstProblem?.problem).toMatch(problem)
  })

  it.each([
    [
      'UPDATE bodies SET sealed = CAST(substr(sealed, 1, 20) || zeroblob(1) || substr(sealed, 22) AS BLOB) WHERE seq = 70',
      /do not open/,
    ],
    ['UPDATE bodies SET sealed = substr(sealed, 2) WHERE seq = 70', /bytes instead of/],
    ['UPDATE bodies SET sealed = (SELECT sealed FROM bodies WHERE seq = 71) WHERE seq = 70', /do not open/],
    ['DELETE FROM bodies WHERE seq = 70', /not stored beside it any more/],
  ])('finds bodies spoiled by: %s', async (change, problem) => {
    const { row, report } = await spoiled(70, (database) => database.exec(change))
    expect(report.firstProblem).toMatchObject({ subject: 'body', ...named(row) })
    expect(report.firstProblem?.problem).toMatch(problem)
    expect(report.bodies.failed).toBe(1)
  })

  it('finds a body that no record speaks of', async () => {
    const { report } = await spoiled(70, (database) => {
      database.exec('INSERT INTO bodies SELECT 600, data_key, sealed FROM bodies WHERE seq = 70')
    })
    expect(report).toMatchObject({ ok: false, bodies: { failed: 1 }, records: { failed: 0 } })
    expect(report.firstProblem?.problem).toContain('no record speaks of')
  })

  it.each([
    'epoch = epoch + 1',
    'next_seq = next_seq - 1',
    'checkpoints = checkpoints - 1',
    'open_from = 0',
    'mac = zeroblob(32)',
  ])('finds the head changed by: %s', async (change) => {
    const { report } = await spoiled(0, (database) => database.exec(`UPDATE head SET ${change}`))
    expect(report.ok).toBe(false)
    expect(report.problems.map(({ subject }) => subject)).toContain('head')
  })

  it('finds an outcome without decision and a decision without outcome, even in a log made with the right keys', async () => {
    const directory = join(temporaryDirectory(), 'data')
    const storage = await openStorage({ dataDirectory: directory, clock: systemClock })
    const lone = await storage.decisionLog.append(outcomeDraft(decisionDraft()))
    const refused = decisionDraft({ effect: 'deny' })
    await storage.decisionLog.append(refused)
    const undue = await storage.decisionLog.append(outcomeDraft(refused))
    const twice = decisionDraft()
    await storage.decisionLog.append(twice)
    const second = await storage.decisionLog.append(twice)
    await storage.close()
    const report = await verify(directory)
    expect(report.problems.map(({ id }) => id)).toEqual([lone.id, undue.id, second.id])
    expect(report.problems[0]?.problem).toContain('no allowed decision without outcome came before it')
    expect(report.problems[2]?.problem).toContain('second decision')
  })

  it('believes only the key that the auditor was given', async () => {
    const line = readFileSync(join(dataDirectory, 'audit.pub'), 'utf8')
    const stranger = join(temporaryDirectory(), 'data')
    await (await openStorage({ dataDirectory: stranger, clock: systemClock })).close()
    const strangeLine = readFileSync(join(stranger, 'audit.pub'), 'utf8')
    const directory = copy()
    expect(await verify(directory, { publicKeyLine: line })).toMatchObject({ ok: true })
    expect(await verify(directory, { publicKeyLine: strangeLine })).toMatchObject({ ok: false })
    expect(await verify(directory, { publicKeyLine: 'nonsense' })).toMatchObject({
      ok: false,
      firstProblem: { subject: 'head' },
    })
  })

  it('finds a log put back as a whole to an older state, if a checkpoint was kept elsewhere', async () => {
    const directory = copy()
    const storage = await openStorage({ dataDirectory: directory, clock: systemClock })
    const { id } = await storage.decisionLog.append(decisionDraft({ namespace: 'side', effect: 'deny' }))
    await storage.close()
    const again = await openStorage({ dataDirectory: directory, clock: systemClock })
    const note = (await again.decisionLog.prove(id))?.checkpoint?.note ?? ''
    await again.close()
    expect(note).toContain('\n161\n')
    expect(await verify(directory, { keptCheckpoints: [note] })).toMatchObject({ ok: true })
    expect(await verify(copy())).toMatchObject({ ok: true })
    const rolledBack = await verify(copy(), { keptCheckpoints: [note] })
    expect(rolledBack).toMatchObject({
      ok: false,
      firstProblem: { subject: 'checkpoint', namespace: 'side', index: 160 },
    })
    expect(rolledBack.firstProblem?.problem).toContain('only 160 are there')
  })
})
