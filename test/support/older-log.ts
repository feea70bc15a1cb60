import { chmodSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { checkpointOrigin, ed25519Signer, signCheckpoint } from '../../src/audit/index.ts'
import { readCheckpoint } from '../../src/audit/checkpoint.ts'
import { auditMigrations } from '../../src/storage/audit-migrations.ts'
import { loadMasterKey } from '../../src/storage/data-directory.ts'
import { dataKeyPurpose, unwrapKey, wrapKey } from '../../src/storage/data-keys.ts'
import { signingKeyPurpose } from '../../src/storage/load-log-identity.ts'

type Row = Record<string, SQLInputValue>

/** Versions of the audit database in which a namespace's log was one tree, without a period. */
export type OlderVersion = 1 | 2

/**
 * Makes of the log of a data directory, which has one month and is closed, the one that an older version would have
 * written: in that version's tables, under checkpoints of trees without a period, and in the first version with one key
 * for everybody in a namespace. Records, hashes and the signing key are the same.
 */
export function makeOlder(dataDirectory: string, version: OlderVersion): void {
  const path = join(dataDirectory, 'audit.db')
  const older = join(dataDirectory, 'older.db')
  const from = new DatabaseSync(path)
  const to = new DatabaseSync(older)
  to.exec('PRAGMA journal_mode = WAL')
  for (const script of auditMigrations.slice(0, version)) to.exec(script)
  to.exec(`PRAGMA user_version = ${version}`)
  to.exec('BEGIN')
  const read = (sql: string): Row[] => from.prepare(sql).all()
  const write = (table: string, rows: readonly Row[]): void => {
    for (const row of rows) {
      const names = Object.keys(row)
      const places = names.map(() => '?').join(', ')
      to.prepare(`INSERT INTO ${table} (${names.join(', ')}) VALUES (${places})`).run(...Object.values(row))
    }
  }
  write('meta', read('SELECT name, value FROM meta'))
  write('logs', read('SELECT log, namespace FROM logs'))
  write(
    'records',
    read('SELECT seq, log, idx, id, time_ms, kind, call, principal, leaf_hash, json FROM records ORDER BY seq'),
  )
  write('bodies', read('SELECT seq, data_key, sealed FROM bodies'))
  write('tiles', read('SELECT log, level, idx, root, hashes FROM tiles JOIN trees USING (tree)'))
  write('head', read('SELECT one, epoch, next_seq, last_hash, checkpoints, open_from, mac FROM head'))
  const masterKey = loadMasterKey(join(dataDirectory, 'master.key'), false)
  write('data_keys', olderKeys(read, masterKey, version))
  write('checkpoints', olderCheckpoints(read, masterKey))
  to.exec('COMMIT')
  from.close()
  to.close()
  for (const end of ['', '-wal', '-shm']) rmSync(`${path}${end}`, { force: true })
  // Those versions did not remember what they had signed.
  rmSync(join(dataDirectory, 'audit.seen'), { force: true })
  renameSync(older, path)
  chmodSync(path, 0o600)
}

function olderKeys(read: (sql: string) => Row[], masterKey: Uint8Array, version: OlderVersion): Row[] {
  const rows = read('SELECT data_key, log, namespace, subject, epoch, wrapped FROM data_keys JOIN logs USING (log)')
  return rows.map(({ data_key, log, namespace, subject, epoch, wrapped }) => {
    const common = { data_key, log, epoch } as Row
    if (version === 2) return { ...common, subject, wrapped } as Row
    const owner = { namespace: String(namespace), epoch: Number(epoch) }
    const key = unwrapKey(masterKey, dataKeyPurpose({ ...owner, subject: String(subject) }), wrapped as Uint8Array)
    return { ...common, wrapped: wrapKey(masterKey, dataKeyPurpose({ ...owner, subject: '' }), key) }
  })
}

function olderCheckpoints(read: (sql: string) => Row[], masterKey: Uint8Array): Row[] {
  const values = new Map(read('SELECT name, value FROM meta').map(({ name, value }) => [name, value as Uint8Array]))
  const logId = Buffer.from(values.get('log_id') ?? []).toString('utf8')
  const key = ed25519Signer(unwrapKey(masterKey, signingKeyPurpose, values.get('signing_key') ?? new Uint8Array()))
  const rows = read(
    `SELECT ordinal, log, namespace, size, time_ms, note
     FROM checkpoints JOIN trees USING (tree) JOIN logs USING (log) ORDER BY ordinal`,
  )
  return rows.map(({ ordinal, log, namespace, size, time_ms, note }) => {
    const checkpoint = readCheckpoint(String(note))
    if (checkpoint === null) throw new Error('a stored checkpoint that is none')
    const origin = checkpointOrigin(logId, String(namespace), '')
    return {
      ordinal,
      log,
      size,
      time_ms,
      note: signCheckpoint({ ...checkpoint, origin }, { name: origin, ...key }),
    } as Row
  })
}
