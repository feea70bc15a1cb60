import { cpSync, chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { beforeAll, describe, expect, it } from 'vitest'
import { exportLog, verifyLogBundle } from '../../src/app/index.ts'
import { checkCallProof, makeCallProof, verifyDecisionLog } from '../../src/audit/index.ts'
import { openAuditReader, openStorage } from '../../src/storage/index.ts'
import { keptDirectory } from '../support/kept-directory.ts'
import { decisionDraft, outcomeDraft } from '../support/record-drafts.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const original = keptDirectory()
const dataDirectory = join(original, 'data')
const months = ['2026-01', '2026-02', '2026-04']
let nowMs = 0
const clock = { nowMs: () => ++nowMs, monotonicMs: () => performance.now() }

/** Three months of two namespaces, 300 calls each in `main` and 3 in `side`, with a call that goes over a month's end. */
beforeAll(async () => {
  nowMs = Date.parse('2026-01-31T12:00:00Z')
  const { decisionLog, close } = await openStorage({ dataDirectory, clock })
  const call = async (namespace: string) => {
    const decision = decisionDraft({ namespace })
    await decisionLog.append(decision)
    await decisionLog.append(outcomeDraft(decision))
  }
  for (const month of months) {
    nowMs = Date.parse(`${month}-28T12:00:00Z`)
    await Promise.all(Array.from({ length: 150 }, (_, at) => call(at % 50 === 0 ? 'side' : 'main')))
  }
  const across = decisionDraft({ namespace: 'main', call: acrossMonths })
  await decisionLog.append(across)
  nowMs = Date.parse('2026-05-01T00:00:00Z')
  await decisionLog.append(outcomeDraft(across))
  nowMs = Date.parse('2026-03-01T00:00:00Z')
  await call('main')
  await close()
})

const acrossMonths = '01900000-0000-7000-8000-0000000000aa'

function copy(change: (database: DatabaseSync) => void = () => undefined): string {
  const path = join(temporaryDirectory(), 'data')
  cpSync(dataDirectory, path, { recursive: true })
  chmodSync(path, 0o700)
  const database = new DatabaseSync(join(path, 'audit.db'), { enableForeignKeyConstraints: false })
  change(database)
  database.close()
  return path
}

async function verify(directory: string) {
  const reader = openAuditReader({ dataDirectory: directory })
  const report = await verifyDecisionLog({ reader })
  await reader.close()
  return report
}

describe('trees by period', () => {
  it('begin each month of a namespace with a record that names the tree before', async () => {
    const report = await verify(copy())
    expect(report).toMatchObject({ ok: true, problems: [] })
    const trees = report.namespaces.map(({ namespace, size, trees: grown }) => ({
      namespace,
      size,
      trees: grown.map(({ period, firstIndex, size: leaves }) => [period, firstIndex, leaves]),
    }))
    expect(trees).toEqual([
      {
        namespace: 'main',
        size: 889,
        trees: [
          ['2026-01', 0, 294],
          ['2026-02', 294, 295],
          ['2026-04', 589, 296],
          // A clock that steps back goes on with the newest tree.
          ['2026-05', 885, 4],
        ],
      },
      {
        namespace: 'side',
        size: 20,
        trees: [
          ['2026-01', 0, 6],
          ['2026-02', 6, 7],
          ['2026-04', 13, 7],
        ],
      },
    ])
  })

  it('say what they close: the size, root and key of its last checkpoint', async () => {
    const storage = await openStorage({ dataDirectory: copy(), clock })
    const records = await storage.decisionLog.read({ namespace: 'side', kinds: ['period'], limit: 10 })
    const proof = await storage.decisionLog.prove(records[0]?.id ?? '')
    await storage.close()
    const [logId] = /[0-9a-f]{16}/.exec(readFileSync(join(dataDirectory, 'audit.pub'), 'utf8')) ?? []
    expect(records.map(({ index }) => index)).toEqual([6, 13])
    expect(records.map(({ json }) => JSON.parse(json).event)).toMatchObject([
      { period: '2026-02', previous: { origin: `mcpworks/${logId}/side/2026-01`, size: 6 } },
      { period: '2026-04', previous: { origin: `mcpworks/${logId}/side/2026-02`, size: 7 } },
    ])
    expect(proof).toMatchObject({ namespace: 'side', index: 6, period: '2026-02', leafIndex: 0 })
    expect(proof?.checkpoint?.note).toMatch(new RegExp(`^mcpworks/${logId}/side/2026-02\n7\n`))
  })

  it('prove the records of a call that went over the end of a month, each in its tree', async () => {
    const storage = await openStorage({ dataDirectory: copy(), clock })
    const records = await storage.decisionLog.read({ namespace: 'main', call: acrossMonths, limit: 10 })
    const material = await Promise.all(
      records.map(async (stored) => ({ stored, proof: await storage.decisionLog.prove(stored.id) })),
    )
    await storage.close()
    const proven = material.map(({ stored, proof }) => {
      if (proof === null) throw new Error('nothing was proven')
      return { stored, proof }
    })
    const file = JSON.stringify(makeCallProof(acrossMonths, proven))
    const publicKey = readFileSync(join(dataDirectory, 'audit.pub'), 'utf8')
    expect(checkCallProof(file, publicKey)).toMatchObject({
      ok: true,
      records: [
        { kind: 'decision', period: '2026-04', index: 295, treeSize: 296 },
        { kind: 'outcome', period: '2026-05', index: 1, treeSize: 4 },
      ],
    })
    // The same proof in another tree of the namespace is none.
    expect(checkCallProof(file.replaceAll('/2026-04', '/2026-02'), publicKey)).toMatchObject({ ok: false })
  })

  it('are exported a directory each, and verified as one chain', async () => {
    const bundle = join(temporaryDirectory(), 'bundle')
    expect(await exportLog(copy(), 'main', bundle)).toMatchObject({ trees: 4, records: 889 })
    expect(readdirSync(bundle).toSorted()).toEqual([...months, '2026-05', 'trees.jsonl'])
    const publicKey = readFileSync(join(dataDirectory, 'audit.pub'), 'utf8')
    const { json } = await verifyLogBundle(bundle, publicKey, [])
    expect(json).toMatchObject({ ok: true, namespace: 'main', size: 889, unfinished: 0, problems: [] })
    expect(json.trees.map(({ period }) => period)).toEqual([...months, '2026-05'])
    const lines = readFileSync(join(bundle, 'trees.jsonl'), 'utf8').trimEnd().split('\n')
    for (const [left, sentence] of [
      [lines.slice(1), 'closes a tree that is not in this bundle'],
      [lines.toSpliced(1, 1), 'closes another tree than the one that lies before it'],
      [lines.toReversed(), 'does not follow the one before it'],
      [['{}'], 'Line 1 of trees.jsonl is malformed'],
      [[], 'There is no trees.jsonl'],
    ] as const) {
      const spoiled = join(temporaryDirectory(), 'bundle')
      cpSync(bundle, spoiled, { recursive: true })
      writeFileSync(join(spoiled, 'trees.jsonl'), left.map((line) => `${line}\n`).join(''))
      const report = await verifyLogBundle(spoiled, publicKey, [])
      expect(report.ok).toBe(false)
      expect(report.text).toContain(sentence)
    }
  })

  it.each([
    ["DELETE FROM trees WHERE period = '2026-02' AND log = 1", /It begins a tree, but lies within one/],
    ["DELETE FROM trees WHERE period = '2026-01' AND log = 1", /does not follow the one before it/],
    ['DELETE FROM trees WHERE log = 1', /The rows of its trees are missing/],
    ["INSERT INTO trees (log, period, first_idx) VALUES (1, '2026-06', 100000)", /has no record/],
    ["INSERT INTO trees (log, period, first_idx) VALUES (1, '2026-06', 15)", /it closes none/],
    [
      "UPDATE trees SET first_idx = first_idx + 1 WHERE period = '2026-02' AND log = 1",
      /It begins a tree, but lies within one/,
    ],
    ["UPDATE trees SET first_idx = first_idx - 1 WHERE period = '2026-02' AND log = 1", /it closes none/],
    ["UPDATE trees SET period = '2026-03' WHERE period = '2026-02' AND log = 1", /no good signature/],
    ['UPDATE trees SET log = 9 WHERE log = 2', /belongs to no namespace/],
    [
      "DELETE FROM checkpoints WHERE ordinal = (SELECT ordinal FROM checkpoints JOIN trees USING (tree) WHERE period = '2026-01' AND log = 1 ORDER BY size DESC)",
      /no signed checkpoint covers/,
    ],
  ])('are found to be spoiled by: %s', async (change, problem) => {
    const report = await verify(copy((database) => database.exec(change)))
    expect(report.ok).toBe(false)
    expect(report.problems.map((found) => found.problem).join('\n')).toMatch(problem)
  })
})
