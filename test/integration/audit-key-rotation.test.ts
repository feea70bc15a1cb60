import { chmodSync, cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { beforeAll, describe, expect, it } from 'vitest'
import { exportLog, verifyLogBundle } from '../../src/app/index.ts'
import {
  checkCallProof,
  ed25519Signer,
  makeCallProof,
  signCheckpoint,
  verifyDecisionLog,
  type VerifyOptions,
} from '../../src/audit/index.ts'
import { unwrapKey } from '../../src/storage/data-keys.ts'
import { openAuditReader, openStorage, type Storage } from '../../src/storage/index.ts'
import { keptDirectory } from '../support/kept-directory.ts'
import { clockIn } from '../support/logged-calls.ts'
import { decisionDraft, outcomeDraft } from '../support/record-drafts.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const original = keptDirectory()
const dataDirectory = join(original, 'data')
/** The log as it was before its key was changed, and as it was after the first change. */
const before = join(original, 'before')
const between = join(original, 'between')
const early = '01900000-0000-7000-8000-0000000000e1'
const late = '01900000-0000-7000-8000-0000000000e2'
const young = '01900000-0000-7000-8000-0000000000e3'
let keys: string[]

async function calls(storage: Storage, namespace: string, ids: readonly (string | undefined)[]): Promise<void> {
  for (const call of ids) {
    const decision = decisionDraft({ namespace, ...(call === undefined ? {} : { call }) })
    await storage.decisionLog.append(decision)
    await storage.decisionLog.append(outcomeDraft(decision))
  }
}

beforeAll(async () => {
  const clock = clockIn('2026-03')
  let storage = await openStorage({ dataDirectory, clock })
  await calls(storage, 'main', [early, ...Array.from({ length: 150 }, () => undefined)])
  await calls(storage, 'side', [undefined])
  await storage.close()
  cpSync(dataDirectory, before, { recursive: true })
  storage = await openStorage({ dataDirectory, clock })
  await storage.logKey.rotate()
  await calls(storage, 'main', [undefined])
  await storage.close()
  cpSync(dataDirectory, between, { recursive: true })
  storage = await openStorage({ dataDirectory, clock: clockIn('2026-04') })
  await calls(storage, 'main', [late])
  await storage.logKey.rotate()
  await calls(storage, 'main', [undefined])
  await calls(storage, 'new', [young])
  await storage.close()
  keys = readFileSync(join(dataDirectory, 'audit.pub'), 'utf8').trimEnd().split('\n')
})

function copy(change: (database: DatabaseSync) => void = () => undefined, from = dataDirectory): string {
  const path = join(temporaryDirectory(), 'data')
  cpSync(from, path, { recursive: true })
  chmodSync(path, 0o700)
  const database = new DatabaseSync(join(path, 'audit.db'), { enableForeignKeyConstraints: false })
  change(database)
  database.close()
  return path
}

async function verify(directory: string, options: Omit<VerifyOptions, 'reader'> = {}) {
  const reader = openAuditReader({ dataDirectory: directory })
  const report = await verifyDecisionLog({ reader, ...options })
  await reader.close()
  return report
}

async function proofOf(call: string, namespace: string): Promise<string> {
  const storage = await openStorage({ dataDirectory: copy(), clock: clockIn('2026-05') })
  const records = await storage.decisionLog.read({ namespace, call, limit: 10 })
  const proven = await Promise.all(
    records.map(async (stored) => {
      const proof = await storage.decisionLog.prove(stored.id)
      if (proof === null) throw new Error('nothing was proven')
      return { stored, proof }
    }),
  )
  const file = makeCallProof(call, proven, await storage.trees.keyChanges())
  await storage.close()
  return JSON.stringify(file)
}

describe('a log whose signing key was changed', () => {
  it('keeps the public keys in order, and is verified from any of them on', async () => {
    expect(keys).toHaveLength(3)
    expect(readFileSync(join(before, 'audit.pub'), 'utf8')).toBe(`${keys[0]}\n`)
    const directory = copy()
    for (const given of [undefined, keys[0], keys[1], keys[2], keys.slice(1).join('\n')]) {
      const report = await verify(directory, given === undefined ? {} : { publicKeyLine: given })
      expect(report).toMatchObject({ ok: true, problems: [] })
    }
  })

  it('names the new key in every tree, under a checkpoint that both keys signed', async () => {
    const storage = await openStorage({ dataDirectory: copy(), clock: clockIn('2026-05') })
    for (const [namespace, inherited] of [
      ['main', [false, false]],
      ['side', [false, false]],
      ['new', [true, true]],
    ] as const) {
      const changes = await storage.decisionLog.read({ namespace, kinds: ['key-change'], limit: 10 })
      const events = changes.map(({ json }) => JSON.parse(json).event)
      expect(events).toMatchObject([
        { number: 1, previous: keys[0], next: keys[1], inherited: inherited[0] },
        { number: 2, previous: keys[1], next: keys[2], inherited: inherited[1] },
      ])
    }
    await storage.close()
    const database = new DatabaseSync(join(copy(), 'audit.db'))
    const signatures = database.prepare("SELECT note FROM checkpoints WHERE note LIKE '%— %— %'").all()
    database.close()
    // Two trees were open at the first change and two at the second one.
    expect(signatures).toHaveLength(4)
  })

  it('proves calls of before and after to whoever has the first key, and those after to whoever has a later one', async () => {
    const all = keys.join('\n')
    for (const [call, namespace] of [
      [early, 'main'],
      [late, 'main'],
      [young, 'new'],
    ] as const) {
      const file = await proofOf(call, namespace)
      expect(checkCallProof(file, keys[0] ?? '')).toMatchObject({ ok: true })
      expect(checkCallProof(file, all)).toMatchObject({ ok: true })
      // Without the statements nothing leads from the first key to the one that signed.
      const bare = JSON.stringify({ ...JSON.parse(file), key_changes: [] })
      expect(checkCallProof(bare, keys[0] ?? '')).toMatchObject({ ok: false })
    }
    expect(checkCallProof(await proofOf(young, 'new'), keys[2] ?? '')).toMatchObject({ ok: true })
    // Of March, whose tree no newer key signed than the second.
    expect(checkCallProof(await proofOf(early, 'main'), keys[1] ?? '')).toMatchObject({ ok: true })
    expect(checkCallProof(await proofOf(early, 'main'), keys[2] ?? '')).toMatchObject({ ok: false })
  })

  it('is exported with the statements, and verified from the first key on', async () => {
    for (const namespace of ['main', 'new']) {
      const bundle = join(temporaryDirectory(), 'bundle')
      await exportLog(copy(), namespace, bundle)
      for (const given of [keys[0] ?? '', keys.join('\n'), keys[2] ?? '']) {
        const { json } = await verifyLogBundle(bundle, given, [])
        expect(json).toMatchObject({ ok: true, problems: [] })
      }
      writeFileSync(join(bundle, 'key-changes.jsonl'), '')
      expect((await verifyLogBundle(bundle, keys[0] ?? '', [])).ok).toBe(false)
    }
  })

  it('does not hold the former keys any more', () => {
    const file = readFileSync(join(dataDirectory, 'audit.db'))
    expect(file.includes(wrappedKey(dataDirectory))).toBe(true)
    for (const former of [before, between]) expect(file.includes(wrappedKey(former))).toBe(false)
  })

  it('is found to be put back to before a change by whoever was given the newer keys', async () => {
    const report = await verify(copy(undefined, between), { publicKeyLine: keys.join('\n') })
    expect(report).toMatchObject({ ok: false })
    expect(report.firstProblem?.problem).toContain('A later public key was given than the log has')
    expect(await verify(copy(undefined, between), { publicKeyLine: keys.slice(0, 2).join('\n') })).toMatchObject({
      ok: true,
    })
  })

  it('is refused where another key takes the place of one that was given: a fork under a stolen key', async () => {
    const fork = copy(undefined, before)
    const storage = await openStorage({ dataDirectory: fork, clock: clockIn('2026-03') })
    await storage.logKey.rotate()
    await storage.close()
    expect(await verify(fork)).toMatchObject({ ok: true })
    expect(await verify(fork, { publicKeyLine: keys[0] ?? '' })).toMatchObject({ ok: true })
    const report = await verify(fork, { publicKeyLine: keys.slice(0, 2).join('\n') })
    expect(report.firstProblem?.problem).toContain('names another key in place of one that was given')
  })

  it.each([
    ['DELETE FROM key_changes WHERE number = 2', /none of this log|A later public key|no good signature/],
    ['UPDATE key_changes SET statement = replace(statement, "2026", "2027") WHERE number = 1', /not signed by both/],
    ['INSERT INTO key_changes SELECT 3, statement FROM key_changes WHERE number = 2', /does not follow the one before/],
  ])('is found to be spoiled by: %s', async (change, problem) => {
    const report = await verify(copy((database) => database.exec(change.replaceAll('"', "'"))))
    expect(report.ok).toBe(false)
    expect(report.problems.map((found) => found.problem).join('\n')).toMatch(problem)
  })

  it('believes a former key nothing more, whoever has come to have it', async () => {
    const directory = copy((database) => {
      const newest = database.prepare('SELECT ordinal, note FROM checkpoints ORDER BY ordinal DESC LIMIT 1').get()
      const [origin = '', size, root] = String(newest?.['note']).split('\n')
      const stolen = ed25519Signer(signingKeyOf(between))
      const checkpoint = { origin, size: Number(size), root: Buffer.from(root ?? '', 'base64') }
      const note = signCheckpoint(checkpoint, { name: origin, ...stolen })
      database.prepare('UPDATE checkpoints SET note = ? WHERE ordinal = ?').run(note, Number(newest?.['ordinal']))
    })
    const report = await verify(directory)
    expect(report.problems).toMatchObject([{ subject: 'checkpoint', namespace: 'new' }])
    expect(report.firstProblem?.problem).toContain("is signed by a key that is not the log's there")
  })

  it('wants both keys under the record that changes them', async () => {
    const report = await verify(
      copy((database) => {
        const row = database.prepare("SELECT ordinal, note FROM checkpoints WHERE note LIKE '%— %— %' LIMIT 1").get()
        const lines = String(row?.['note']).split('\n')
        const note = [...lines.slice(0, 4), ...lines.slice(5)].join('\n')
        database.prepare('UPDATE checkpoints SET note = ? WHERE ordinal = ?').run(note, Number(row?.['ordinal']))
      }),
    )
    expect(report.problems).toMatchObject([{ subject: 'checkpoint' }])
    expect(report.firstProblem?.problem).toContain('is not signed by the key that is replaced there')
  })
})

/** The signing key of a data directory, as somebody has it who stole all of it. */
function signingKeyOf(directory: string): Uint8Array {
  const masterKey = Buffer.from(readFileSync(join(directory, 'master.key'), 'utf8').trim(), 'base64')
  return unwrapKey(masterKey, 'log signing key', wrappedKey(directory))
}

function wrappedKey(directory: string): Buffer {
  const database = new DatabaseSync(join(directory, 'audit.db'), { readOnly: true })
  const value = database.prepare("SELECT value FROM meta WHERE name = 'signing_key'").get()?.['value'] as Uint8Array
  database.close()
  return Buffer.from(value)
}
