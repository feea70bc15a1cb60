import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { openStorage, type Storage, type StorageOptions } from '../../src/storage/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { copiedPostgresDatabase, reusedPostgresDatabase } from '../support/postgres-database.ts'
import { decisionDraft } from '../support/record-drafts.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { wanted } from './implementations.ts'

/** A log that can be put back to what it was. */
interface Place {
  readonly dataDirectory: string
  open(options?: Partial<StorageOptions>): Promise<Storage>
  /** Gives the way to put the log back to what it is now, with the data directory as it is then. */
  backup(): Promise<() => Promise<void>>
  /** Runs a statement behind the back of the log. */
  spoil(statement: string): Promise<void>
}

/** The key under which the logs here are, wherever they are opened from. */
const masterKey = new Uint8Array(32).fill(7)

function onSqlite(): Place {
  const dataDirectory = join(temporaryDirectory(), 'data')
  const files = ['audit.db', 'audit.db-wal', 'audit.db-shm'].map((name) => join(dataDirectory, name))
  return {
    dataDirectory,
    open: (options = {}) => openStorage({ dataDirectory, clock: systemClock, masterKey, ...options }),
    async backup() {
      const kept = temporaryDirectory()
      const there = files.filter((path) => existsSync(path))
      for (const [at, path] of there.entries()) cpSync(path, join(kept, String(at)))
      return async () => {
        for (const path of files) rmSync(path, { force: true })
        for (const [at, path] of there.entries()) cpSync(join(kept, String(at)), path)
      }
    },
    async spoil(statement) {
      const database = new DatabaseSync(join(dataDirectory, 'audit.db'))
      database.exec(statement)
      database.close()
    },
  }
}

function onPostgres(): Place {
  const dataDirectory = join(temporaryDirectory(), 'data')
  let url: Promise<string> | null = null
  return {
    dataDirectory,
    async open(options = {}) {
      url ??= reusedPostgresDatabase()
      const postgres = { url: await url, caFile: null, silentMs: 10_000 }
      return openStorage({ dataDirectory, clock: systemClock, masterKey, postgres, ...options })
    },
    async backup() {
      const copy = await copiedPostgresDatabase((await url) ?? '')
      return async () => void (url = Promise.resolve(copy))
    },
    async spoil(statement) {
      const client = new pg.Client({ connectionString: (await url) ?? '', options: '-c search_path=mcpworks_log' })
      await client.connect()
      await client.query(statement)
      await client.end()
    },
  }
}

const places = [
  { name: 'SQLite', place: onSqlite },
  { name: 'PostgreSQL', place: onPostgres },
].filter(wanted)

/** Some refused calls, and the end of the server, which signs them. */
async function session(opening: Promise<Storage>, calls = 5): Promise<void> {
  const storage = await opening
  for (let count = 0; count < calls; count++) await storage.decisionLog.append(decisionDraft({ effect: 'deny' }))
  await storage.close()
}

const refused = (says: RegExp) => ({ code: 'storage_unavailable', message: expect.stringMatching(says) as string })

describe.each(places)('a log on $name that is opened where it was seen before', ({ place }) => {
  it('is gone on with as it was left', async () => {
    const log = place()
    for (let start = 0; start < 3; start++) await session(log.open())
    const seen = readFileSync(join(log.dataDirectory, 'audit.seen'), 'utf8').trimEnd().split('\n')
    expect(seen.map((line) => (JSON.parse(line) as string).split('\n')[1])).toEqual(['15'])
    const storage = await log.open()
    expect(storage.differences).toEqual([])
    await storage.close()
  })

  it('is refused where it was put back to an older state, and accepted once where somebody says so', async () => {
    const log = place()
    await session(log.open())
    const restore = await log.backup()
    await session(log.open())
    const theirs = JSON.parse(readFileSync(join(log.dataDirectory, 'audit.seen'), 'utf8')) as string
    await restore()
    // Nothing is signed on top of it: it is the same the next time.
    for (let attempt = 0; attempt < 2; attempt++)
      await expect(log.open()).rejects.toMatchObject(
        refused(/10 records of mcpworks\/.*\/demo\/.* were signed before, and 5 are: .*--accept-older-log/),
      )
    const storage = await log.open({ acceptOlderLog: true })
    expect(storage.differences).toMatchObject([{ tree: { namespace: 'demo' }, theirs }])
    expect(storage.differences[0]?.ours.split('\n')[1]).toBe('5')
    await session(Promise.resolve(storage), 1)
    await session(log.open(), 1)
  })

  it('is refused where it was put back and went on otherwise, however long it is', async () => {
    const log = place()
    await session(log.open())
    const restore = await log.backup()
    await session(log.open())
    await restore()
    const seen = join(log.dataDirectory, 'audit.seen')
    const kept = readFileSync(seen)
    rmSync(seen)
    await session(log.open(), 20)
    writeFileSync(seen, kept)
    await expect(log.open()).rejects.toMatchObject(refused(/first 10 records of .* are not those/))
  })

  it('is refused where it was put back after something was put among its checkpoints', async () => {
    for (const forged of [
      // One that nobody signed.
      "replace(note, '\n' || checkpoints.size || '\n', '\n99\n')",
      // One of before, with its signature.
      'note',
    ]) {
      const log = place()
      await session(log.open())
      const restore = await log.backup()
      await session(log.open())
      const storage = await log.open()
      await log.spoil(
        `INSERT INTO checkpoints (ordinal, tree, size, time_ms, note)
         SELECT ordinal + 1000000, tree, size, time_ms, ${forged} FROM checkpoints WHERE ordinal = 1`,
      )
      await session(Promise.resolve(storage), 1)
      await restore()
      await expect(log.open()).rejects.toMatchObject(refused(/1[01] records of .* were signed before, and 5 are/))
    }
  })

  it('is refused where what was seen of it was damaged', async () => {
    const log = place()
    await session(log.open())
    const seen = join(log.dataDirectory, 'audit.seen')
    for (const damage of [readFileSync(seen, 'utf8').slice(0, -20), '"nothing"\n', 'nothing\n']) {
      writeFileSync(seen, damage)
      await expect(log.open()).rejects.toMatchObject(refused(/audit.seen in the data directory is damaged/))
    }
    rmSync(seen)
    await session(log.open())
  })
})

it('is no new log in a data directory where there was one before', async () => {
  const log = onSqlite()
  await session(log.open())
  for (const name of ['audit.db', 'audit.db-wal', 'audit.db-shm', 'audit.pub'])
    rmSync(join(log.dataDirectory, name), { force: true })
  await expect(log.open()).rejects.toMatchObject(refused(/there is no such log any more/))
})
