import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  checkCallProof,
  checkConsistency,
  makeCallProof,
  proveConsistency,
  verifyBundle,
  writeBundle,
} from '../../src/audit/index.ts'
import { openBundleSource, openBundleTarget } from '../../src/storage/index.ts'
import { clockIn } from '../support/logged-calls.ts'
import { decisionDraft, outcomeDraft } from '../support/record-drafts.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { logImplementations, type LogPlace, type OpenLog } from './decision-log-places.ts'

async function call({ decisionLog }: Pick<OpenLog, 'decisionLog'>, namespace: string): Promise<string> {
  const draft = decisionDraft({ namespace })
  await decisionLog.append(draft)
  await decisionLog.append(outcomeDraft(draft))
  return draft.call
}

/** A log of two months whose key was changed twice, closed; a namespace is younger than both changes. */
async function changedLog(place: LogPlace) {
  let log = await place.open(clockIn('2026-03'))
  const early = await call(log, 'main')
  await call(log, 'side')
  const first = await log.logKey.rotate()
  await call(log, 'main')
  await log.close()
  log = await place.open(clockIn('2026-04'))
  const late = await call(log, 'main')
  const second = await log.logKey.rotate()
  await call(log, 'main')
  const young = await call(log, 'new')
  await log.close()
  return { keys: [first.previous, first.next, second.next], first, second, early, late, young }
}

async function proofOf({ decisionLog }: OpenLog, namespace: string, id: string, changes: readonly string[]) {
  const records = await decisionLog.read({ namespace, call: id, limit: 10 })
  const proven = await Promise.all(
    records.map(async (stored) => {
      const proof = await decisionLog.prove(stored.id)
      if (proof === null) throw new Error('nothing was proven')
      return { stored, proof }
    }),
  )
  return JSON.stringify(makeCallProof(id, proven, changes))
}

describe.each(logImplementations)('a log whose signing key was changed, on $name', ({ place }) => {
  it('is verified from any of its keys on, and names each new one in every tree', async () => {
    const where = place()
    const { keys, first, second, early, young } = await changedLog(where)
    expect(first.number).toBe(1)
    expect(second).toMatchObject({ number: 2, previous: first.next })
    expect(new Set(keys).size).toBe(3)
    for (const given of [undefined, keys[0], keys[1], keys[2], keys.slice(1).join('\n'), keys.join('\n')]) {
      const report = await where.verify(given === undefined ? {} : { publicKeyLine: given })
      expect(report).toMatchObject({ ok: true, problems: [] })
    }
    const reader = await where.reader()
    expect(await reader.publicKeyLine()).toBe(keys.join('\n'))
    const changes = await reader.keyChanges()
    expect(changes).toHaveLength(2)
    const signatures = (await reader.checkpoints(1, 100)).map(({ note }) => note.split('\n— ').length - 1)
    // Two trees were open at the first change and two at the second one.
    expect(signatures.filter((count) => count === 2)).toHaveLength(4)
    await reader.close()
    const log = await where.open(clockIn('2026-05'))
    onTestFinished(() => log.close())
    for (const [namespace, inherited] of [
      ['main', false],
      ['side', false],
      ['new', true],
    ] as const) {
      const records = await log.decisionLog.read({ namespace, kinds: ['key-change'], limit: 10 })
      expect(records.map(({ json }) => JSON.parse(json).event)).toMatchObject([
        { number: 1, previous: keys[0], next: keys[1], inherited },
        { number: 2, previous: keys[1], next: keys[2], inherited },
      ])
    }
    for (const [namespace, id] of [
      ['main', early],
      ['new', young],
    ] as const) {
      const proof = await proofOf(log, namespace, id, changes)
      expect(checkCallProof(proof, keys[0] ?? '')).toMatchObject({ ok: true })
      expect(checkCallProof(await proofOf(log, namespace, id, []), keys[0] ?? '')).toMatchObject({ ok: false })
    }
  })

  it('is exported with the statements, and verified from each key on', async () => {
    const where = place()
    const { keys } = await changedLog(where)
    for (const namespace of ['main', 'new']) {
      const bundle = join(temporaryDirectory(), 'bundle')
      const reader = await where.reader()
      expect(await writeBundle(reader, namespace, await openBundleTarget(bundle))).toMatchObject({ ok: true })
      await reader.close()
      const verify = (given: string) => verifyBundle(openBundleSource(bundle), given)
      // The first tree of a namespace that is younger than the changes is signed with the last key alone.
      for (const given of [keys[0], keys[1], keys[2], keys.join('\n')])
        expect(await verify(given ?? '')).toMatchObject({ ok: true, problems: [] })
      const elsewhere = await changedLog(place())
      expect((await verify(elsewhere.keys[0] ?? '')).ok).toBe(false)
      writeFileSync(join(bundle, 'key-changes.jsonl'), '')
      expect((await verify(keys[0] ?? '')).ok).toBe(false)
    }
  })

  it('is shown to be one history between any two checkpoints, to whoever has the first key', async () => {
    const where = place()
    const { keys } = await changedLog(where)
    const reader = await where.reader()
    onTestFinished(() => reader.close())
    const notes = (await reader.checkpoints(1, 100)).filter(({ namespace }) => namespace === 'main')
    const order = notes.toSorted((one, other) => one.period.localeCompare(other.period) || one.size - other.size)
    expect(new Set(order.map(({ period }) => period)).size).toBe(2)
    for (const [at, { note: from }] of order.entries()) {
      for (const { note: to } of order.slice(at)) {
        const outcome = await proveConsistency(reader, from, to)
        const proof = JSON.stringify(outcome.ok ? outcome.proof : null)
        expect(checkConsistency(proof, keys[0] ?? '', { from, to })).toMatchObject({ ok: true })
      }
    }
    const [oldest, newest] = [order[0]?.note ?? '', order.at(-1)?.note ?? '']
    expect(await proveConsistency(reader, newest, oldest)).toMatchObject({ ok: false })
    const without = await proveConsistency(reader, oldest, newest)
    const bare = { ...(without.ok ? without.proof : {}), key_changes: [] }
    expect(checkConsistency(JSON.stringify(bare), keys[0] ?? '')).toMatchObject({ ok: false })
  })

  it.each([
    ['DELETE FROM key_changes WHERE number = 2', /none of this log|A later public key|no good signature/],
    ["UPDATE key_changes SET statement = replace(statement, '2026', '2027') WHERE number = 1", /not signed by both/],
    ['INSERT INTO key_changes SELECT 3, statement FROM key_changes WHERE number = 2', /does not follow the one before/],
  ])('is found to be spoiled by: %s', async (change, problem) => {
    const where = place()
    await changedLog(where)
    await where.spoil(change)
    const report = await where.verify()
    expect(report.ok).toBe(false)
    expect(report.problems.map((found) => found.problem).join('\n')).toMatch(problem)
  })
})
