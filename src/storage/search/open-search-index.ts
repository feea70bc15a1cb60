import { randomBytes } from 'node:crypto'
import { existsSync, rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { Kysely } from 'kysely'
import { writeNewFile } from '../data-directory.ts'
import { readableDialect } from '../readable-dialect.ts'
import { isDamage } from '../sqlite-failure.ts'
import type { LogRows } from './log-rows.ts'
import { SearchIndex, writeMeta, type IndexCursor } from './search-index.ts'
import { searchSchema, searchVersion, type SearchTables } from './search-tables.ts'

/** An index that fits the log. */
export interface OpenSearchIndex {
  readonly index: SearchIndex
  readonly seed: string
  readonly cursor: IndexCursor
  close(): Promise<void>
}

/**
 * Opens the index beside the log, or makes a new one where there is none, or where what is there is damaged, of another
 * version, or belongs to another log or another course of it.
 * @throws SQLite's own errors: the directory cannot be written
 */
export async function openSearchIndex(path: string, rows: LogRows): Promise<OpenSearchIndex> {
  try {
    const there = await openFitting(path, rows)
    if (there !== null) return there
  } catch (error) {
    if (!isDamage(error)) throw error
  }
  removeSearchIndex(path)
  const made = await openFitting(path, rows)
  if (made === null) throw new Error('an index that was only just made does not fit')
  return made
}

/** Removes the files of an index. It must not be open. */
export function removeSearchIndex(path: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true })
}

/** `null` for an index of something else. */
async function openFitting(path: string, rows: LogRows): Promise<OpenSearchIndex | null> {
  const connection = openDatabase(path)
  const database = new Kysely<SearchTables>({ dialect: readableDialect(connection) })
  try {
    const meta = await readMeta(database, connection)
    const cursor = { seq: Number(meta.get('cursor_seq')), id: meta.get('cursor_id') ?? '' }
    const fits = meta.get('version') === searchVersion && (cursor.seq === -1 || (await rows.has(cursor.seq, cursor.id)))
    if (!fits) {
      await database.destroy()
      return null
    }
    return {
      index: new SearchIndex(database),
      seed: meta.get('seed') ?? '',
      cursor,
      close: () => database.destroy(),
    }
  } catch (error) {
    await database.destroy()
    throw error
  }
}

/** What is lost in a power cut is read from the log again: nothing waits for the disk. */
function openDatabase(path: string): DatabaseSync {
  // Made here, because SQLite would make it as wide as the process may.
  if (!existsSync(path)) writeNewFile(path, '')
  const connection = new DatabaseSync(path, { timeout: 5000 })
  try {
    connection.exec('PRAGMA journal_mode = WAL')
    connection.exec('PRAGMA synchronous = NORMAL')
    connection.exec('PRAGMA cache_size = -16000')
    return connection
  } catch (error) {
    connection.close()
    throw error
  }
}

async function readMeta(database: Kysely<SearchTables>, connection: DatabaseSync): Promise<Map<string, string>> {
  const isNew = connection.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined
  if (isNew) {
    connection.exec('BEGIN IMMEDIATE')
    for (const script of searchSchema) connection.exec(script)
    connection.exec('COMMIT')
    const seed = randomBytes(16).toString('hex')
    await writeMeta(database, { version: searchVersion, seed, cursor_seq: '-1', cursor_id: '' })
  }
  const kept = await database.selectFrom('search_meta').select(['name', 'value']).execute()
  return new Map(kept.map(({ name, value }) => [name, value]))
}
