import { expect, it } from 'vitest'
import type { PostgresLog } from '../../src/storage/index.ts'
import { postgresLogPlace } from '../support/postgres-log-place.ts'
import { decisionDraft, outcomeDraft } from '../support/record-drafts.ts'

const ada = 'demo/ada'
const erasure = { subject: ada, by: 'operator', call: 'c' }

async function call({ decisionLog }: PostgresLog, principal: string) {
  const draft = decisionDraft({ principal, input: `{"of":"${principal}"}` })
  const decided = await decisionLog.append(draft)
  await decisionLog.append(outcomeDraft(draft, { principal }))
  return decided
}

async function bodyOf({ decisionLog }: PostgresLog, { id }: { readonly id: string }) {
  return (await decisionLog.readBody(id, 'input'))?.body ?? null
}

it('makes another key where one that a writer has in memory was erased by another server', async () => {
  const place = await postgresLogPlace()
  const [one, other] = [await place.open(), await place.open()]
  const [before, bob] = [await call(other, ada), await call(other, 'demo/bob')]
  const keys = await place.sql('SELECT data_key FROM data_keys')
  expect(await one.keeper.erase(erasure)).toMatchObject({ kind: 'erased', namespaces: [{ keys: 1 }] })
  // Still in the order in which they came, together with those of a principal that was not erased.
  const after = await Promise.all([call(other, ada), call(other, 'demo/bob'), call(other, ada)])
  expect(await bodyOf(one, before)).toBeNull()
  for (const record of [bob, ...after]) expect(await bodyOf(one, record)).not.toBeNull()
  const left = await place.sql('SELECT subject, data_key FROM data_keys ORDER BY subject')
  expect(left.map(({ subject }) => subject)).toEqual([ada, 'demo/bob'])
  expect(keys).not.toContainEqual({ data_key: left[0]?.['data_key'] })
  expect(other.decisionLog.health()).toEqual({ ok: true })
  expect(await one.keeper.sweepErased()).toMatchObject({ removed: 2 })
  expect(await place.verify()).toMatchObject({ ok: true, removed: { bodies: 2 }, bodies: { failed: 0 } })
})

it('erases what has no place in the order of all records yet', async () => {
  const place = await postgresLogPlace()
  const log = await place.open()
  const records = await Promise.all(Array.from({ length: 20 }, () => call(log, ada)))
  await log.keeper.erase(erasure)
  expect(await log.keeper.sweepErased()).toMatchObject({ removed: 40 })
  for (const record of records) expect(await bodyOf(log, record)).toBeNull()
  expect(await place.verify()).toMatchObject({ ok: true, removed: { bodies: 40 } })
  await log.close()
  expect(await place.verify()).toMatchObject({ ok: true, removed: { bodies: 40 } })
})

it('leaves no body under an erased key, however many writers append while it is erased', async () => {
  const place = await postgresLogPlace()
  const logs = [await place.open(), await place.open(), await place.open()]
  const [keeping] = logs
  if (keeping === undefined) throw new Error('there is no log')
  const rounds = Array.from({ length: 5 }, async () => keeping.keeper.erase(erasure))
  await Promise.all([...rounds, ...logs.flatMap((log) => Array.from({ length: 40 }, () => call(log, ada)))])
  await keeping.keeper.erase(erasure)
  for (let more = true; more;) ({ more } = await keeping.keeper.sweepErased())
  expect(await place.sql('SELECT count(*)::int AS boxes FROM bodies')).toEqual([{ boxes: 0 }])
  expect(await place.verify()).toMatchObject({ ok: true, removed: { bodies: 240 } })
  for (const log of logs) expect(log.decisionLog.health()).toEqual({ ok: true })
})

it('looks at the holds that another server placed', async () => {
  const place = await postgresLogPlace()
  const [one, other] = [await place.open(), await place.open()]
  const kept = await call(one, ada)
  const hold = { id: 'hold', namespace: 'demo', subject: ada, reason: 'a case', placedBy: 'operator', placedMs: 1 }
  await other.keeper.placeHold(hold)
  expect(await one.keeper.erase(erasure)).toEqual({ kind: 'held', holds: [hold] })
  expect(await bodyOf(one, kept)).not.toBeNull()
  await other.keeper.liftHold({ namespace: 'demo', id: 'hold', by: 'operator', reason: 'closed' })
  expect(await one.keeper.erase(erasure)).toMatchObject({ kind: 'erased' })
})

it('refuses what the database cannot store, and goes on', async () => {
  const place = await postgresLogPlace()
  const { keeper, decisionLog } = await place.open()
  await expect(keeper.erase({ ...erasure, subject: 'a\0b' })).rejects.toMatchObject({ code: 'invalid_request' })
  expect(decisionLog.health()).toEqual({ ok: true })
  expect(await keeper.erase(erasure)).toEqual({ kind: 'erased', namespaces: [], holds: [] })
})
