import { DatabaseSync } from 'node:sqlite'
import { afterEach, expect, it } from 'vitest'
import { auditMigrations } from './audit-migrations.ts'
import { OpenedDataKeys, type DataKeyRow } from './opened-data-keys.ts'
import { SubjectKeys } from './subject-keys.ts'

const masterKey = Buffer.alloc(32, 7)
const open: DatabaseSync[] = []

function database(migrations = auditMigrations): DatabaseSync {
  const made = new DatabaseSync(':memory:')
  open.push(made)
  for (const script of migrations) made.exec(script)
  made.exec("INSERT INTO logs (log, namespace) VALUES (1, 'demo'), (2, 'other')")
  return made
}

function rows(from: DatabaseSync): DataKeyRow[] {
  const select = 'SELECT data_key, wrapped, subject, epoch, namespace FROM data_keys JOIN logs USING (log) ORDER BY 1'
  return from.prepare(select).all() as unknown as DataKeyRow[]
}

afterEach(() => {
  for (const made of open.splice(0)) made.close()
})

it('gives each principal a key of its own in each log, and the same one again after a restart', () => {
  const store = database()
  const keys = new SubjectKeys(store, { masterKey, epoch: 1 })
  const made = [keys.keyFor(1, 'demo', 'ada'), keys.keyFor(1, 'demo', 'bob'), keys.keyFor(2, 'other', 'ada')]
  expect(new Set(made.map(({ id }) => id)).size).toBe(3)
  expect(made.every((one, at) => made.every((other, place) => at === place || !one.key.equals(other.key)))).toBe(true)
  const again = new SubjectKeys(store, { masterKey, epoch: 1 }).keyFor(1, 'demo', 'ada')
  expect(again.id).toBe(made[0]?.id)
  expect(again.key.equals(made[0]!.key)).toBe(true)
  expect(new SubjectKeys(store, { masterKey, epoch: 2 }).keyFor(1, 'demo', 'ada').id).not.toBe(made[0]?.id)
})

it('never gives the number of a deleted key to another one', () => {
  const store = database()
  const keys = new SubjectKeys(store, { masterKey, epoch: 1 })
  const { id } = keys.keyFor(1, 'demo', 'ada')
  store.exec("DELETE FROM data_keys WHERE subject = 'ada'")
  expect(keys.keyFor(1, 'demo', 'ada').id).toBe(id)
  keys.forget(1, 'ada')
  expect(keys.keyFor(1, 'demo', 'ada').id).toBeGreaterThan(id)
})

it('opens no key under the name of another subject, and none whose row is gone', () => {
  const store = database()
  const { key } = new SubjectKeys(store, { masterKey, epoch: 1 }).keyFor(1, 'demo', 'ada')
  const [row] = rows(store) as [DataKeyRow]
  expect(new OpenedDataKeys(masterKey).open(row)?.equals(key)).toBe(true)
  expect(() => new OpenedDataKeys(masterKey).open({ ...row, subject: 'bob' })).toThrowError(/master key is not/)
  expect(() => new OpenedDataKeys(masterKey).open({ ...row, namespace: 'other' })).toThrowError(/master key is not/)
  const opened = new OpenedDataKeys(masterKey)
  opened.open(row)
  const gone = { data_key: row.data_key, wrapped: null, subject: null, epoch: null, namespace: null }
  expect(opened.open(gone)).toBeNull()
})

it('keeps the keys that sealed the bodies of everybody before principals had keys of their own', () => {
  const store = database(auditMigrations.slice(0, 1))
  store.exec("INSERT INTO data_keys (data_key, log, epoch, wrapped) VALUES (5, 1, 3, x'01')")
  for (const script of auditMigrations.slice(1)) store.exec(script)
  expect(rows(store)).toMatchObject([{ data_key: 5, subject: '', epoch: 3, namespace: 'demo' }])
})
