import { chmodSync, cpSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { exportLog, proveLogConsistency, verifyLogBundle } from '../../src/app/index.ts'
import { checkCallProof, checkConsistency, makeCallProof, verifyDecisionLog } from '../../src/audit/index.ts'
import { openAuditReader, openStorage, type Storage } from '../../src/storage/index.ts'
import { keptDirectory } from '../support/kept-directory.ts'
import { clockIn, logCalls } from '../support/logged-calls.ts'
import { makeOlder, type OlderVersion } from '../support/older-log.ts'
import { decisionDraft, outcomeDraft } from '../support/record-drafts.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

/** A log of one month as it is written today: 480 records of `main` and 120 of `side`. */
let written: string

beforeAll(async () => {
  written = await logCalls(keptDirectory(), 300)
})

/** The log as an older version would have left it. */
function older(version: OlderVersion): string {
  const dataDirectory = join(temporaryDirectory(), 'data')
  cpSync(written, dataDirectory, { recursive: true })
  chmodSync(dataDirectory, 0o700)
  makeOlder(dataDirectory, version)
  return dataDirectory
}

function inFile<Result>(dataDirectory: string, work: (database: DatabaseSync) => Result): Result {
  const database = new DatabaseSync(join(dataDirectory, 'audit.db'), { enableForeignKeyConstraints: false })
  try {
    return work(database)
  } finally {
    database.close()
  }
}

const newestNote = (dataDirectory: string, namespace: string): string =>
  inFile(dataDirectory, (database) =>
    String(
      database
        .prepare('SELECT note FROM checkpoints WHERE note LIKE ? ORDER BY ordinal DESC LIMIT 1')
        .get(`mcpworks/%/${namespace}%`)?.['note'],
    ),
  )

async function call(storage: Storage): Promise<string> {
  const decision = decisionDraft({ namespace: 'main' })
  await storage.decisionLog.append(decision)
  await storage.decisionLog.append(outcomeDraft(decision))
  return decision.call
}

async function verify(dataDirectory: string, keptCheckpoints: readonly string[] = []) {
  const reader = openAuditReader({ dataDirectory })
  const publicKeyLine = readFileSync(join(written, 'audit.pub'), 'utf8').trim()
  const report = await verifyDecisionLog({ reader, publicKeyLine, keptCheckpoints })
  await reader.close()
  return report
}

describe.each([1, 2] as const)('a log of version %i, from before trees had a month', (version) => {
  it('goes on in trees of months, and all of it is verified, opened, proven and exported', async () => {
    const dataDirectory = older(version)
    const publicKey = readFileSync(join(written, 'audit.pub'), 'utf8')
    const kept = newestNote(dataDirectory, 'main')
    expect(kept).toMatch(/^mcpworks\/[0-9a-f]{16}\/main\n/)
    const storage = await openStorage({ dataDirectory, clock: clockIn('2026-04') })
    const late = await call(storage)
    const first = await storage.decisionLog.read({ namespace: 'main', limit: 1 })
    const [{ id, call: early } = { id: '', call: '' }] = first
    expect((await storage.decisionLog.readBody(id, 'input'))?.body).toBe('{"country":"CH","limit":5}')
    await storage.close()

    const report = await verify(dataDirectory, [kept])
    expect(report).toMatchObject({ ok: true, problems: [], bodies: { failed: 0 } })
    expect(report.bodies.checked).toBeGreaterThan(600)
    const trees = report.namespaces.find(({ namespace }) => namespace === 'main')?.trees
    expect(trees).toMatchObject([
      { period: '', firstIndex: 0, size: 480 },
      { period: '2026-04', firstIndex: 480, size: 3 },
    ])

    const newest = newestNote(dataDirectory, 'main')
    expect(newest).toContain('/main/2026-04\n')
    const proof = await proveLogConsistency(dataDirectory, kept, newest)
    expect(checkConsistency(proof, publicKey, { from: kept, to: newest })).toMatchObject({ ok: true })

    const bundle = join(temporaryDirectory(), 'bundle')
    await exportLog(dataDirectory, 'main', bundle)
    expect(readdirSync(bundle)).toEqual(expect.arrayContaining(['first', '2026-04']))
    const bundled = await verifyLogBundle(bundle, publicKey, [kept, newest])
    expect(bundled.json).toMatchObject({ ok: true, problems: [], size: 483 })

    const again = await openStorage({ dataDirectory, clock: clockIn('2026-05') })
    onTestFinished(() => again.close())
    for (const wanted of [early, late]) {
      const records = await again.decisionLog.read({ namespace: 'main', call: wanted, limit: 10 })
      const proven = await Promise.all(
        records.map(async (stored) => {
          const found = await again.decisionLog.prove(stored.id)
          if (found === null) throw new Error('nothing was proven')
          return { stored, proof: found }
        }),
      )
      expect(proven).toHaveLength(2)
      expect(checkCallProof(JSON.stringify(makeCallProof(wanted, proven, [])), publicKey)).toMatchObject({ ok: true })
    }
  })
})

describe('a log from before trees had a month', () => {
  it.each([
    ["UPDATE records SET json = replace(json, '\"CH\"', '\"DE\"') || ' ' WHERE seq = 17", /text was changed/],
    ['DELETE FROM records WHERE log = 2 AND idx = 400', /missing/],
    ['UPDATE tiles SET hashes = zeroblob(8192) WHERE level = 0', /tile/],
    ['DELETE FROM checkpoints WHERE ordinal = 2', /missing|checkpoint/],
  ])('is found to be spoiled before it was brought up to date by: %s', async (change, problem) => {
    const dataDirectory = older(1)
    inFile(dataDirectory, (database) => database.exec(change))
    await (await openStorage({ dataDirectory, clock: clockIn('2026-04') })).close()
    const report = await verify(dataDirectory)
    expect(report.ok).toBe(false)
    expect(report.problems.map((found) => found.problem).join('\n')).toMatch(problem)
  })

  it('is not begun on anew where its head is another one', async () => {
    const dataDirectory = older(1)
    inFile(dataDirectory, (database) => database.exec('UPDATE head SET next_seq = next_seq - 1'))
    await expect(openStorage({ dataDirectory, clock: clockIn('2026-04') })).rejects.toMatchObject({
      code: 'storage_unavailable',
      message: expect.stringContaining('was changed by somebody else'),
    })
  })
})
