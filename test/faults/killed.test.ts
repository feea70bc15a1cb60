import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openAuditReader, openPostgresAuditReader } from '../../src/storage/index.ts'
import { bundleLoad, type BundledLoad } from '../support/bundled-load.ts'
import { killAndLook } from '../support/killed-log.ts'
import { postgresDatabase } from '../support/postgres-database.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

/** Kills in all, so many on one data directory, which each finds as the last kill left it. */
const kills = 1000
const killsAPlace = 10
const killsOfPostgres = 100
/** Agents make some lines a millisecond: from the first call to the third checkpoint. */
const longestLines = 700

/** After how many lines each process is killed: one in ten while it opens, the others early more often than late. */
function randomPoints(): number[] {
  return Array.from({ length: killsAPlace }, (_, round) =>
    round % 10 === 0 ? Math.floor(Math.random() * 2) : Math.floor(Math.random() ** 2 * longestLines),
  )
}

let load: BundledLoad
beforeAll(async () => {
  load = await bundleLoad('pipeline-load')
})
afterAll(() => load.remove())

const expected = { kills: killsAPlace, unrecorded: [], lost: [], problems: [], open: 0 }

describe('killed with SIGKILL under load, on SQLite', () => {
  it.concurrent.for(Array.from({ length: kills / killsAPlace }, (_, part) => part))(
    'runs nothing unrecorded and loses nothing acknowledged (part %i)',
    async (_part, { onTestFinished, expect }) => {
      const directory = mkdtempSync(join(tmpdir(), 'mcpworks-killed-'))
      onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
      const dataDirectory = join(directory, 'data')
      const hasLog = (): boolean => existsSync(join(dataDirectory, 'audit.db'))
      const points = randomPoints()
      const found = await killAndLook(
        {
          script: load.script,
          storage: { dataDirectory },
          reader: async () => (hasLog() ? openAuditReader({ dataDirectory }) : null),
        },
        points,
      )
      expect(found, `killed after ${points.join(', ')} lines`).toMatchObject(expected)
      // The kills have to have come in the middle of calls, or what a start says of them was never tried.
      expect(found.ran).toBeGreaterThan(0)
      expect(found.abandoned).toBeGreaterThan(0)
    },
  )
})

describe('killed with SIGKILL under load, on PostgreSQL', () => {
  it.each(Array.from({ length: killsOfPostgres / killsAPlace }, (_, part) => part))(
    'runs nothing unrecorded and loses nothing acknowledged (part %i)',
    async () => {
      const dataDirectory = join(temporaryDirectory(), 'data')
      const database = { url: await postgresDatabase(), caFile: null }
      const key = join(dataDirectory, 'master.key')
      const points = randomPoints()
      const found = await killAndLook(
        {
          script: load.script,
          storage: { dataDirectory, postgres: { ...database, silentMs: 10_000 } },
          reader: async () =>
            existsSync(key)
              ? openPostgresAuditReader({
                  database,
                  masterKey: Buffer.from(readFileSync(key, 'utf8').trim(), 'base64'),
                  publicKeyLine: null,
                })
              : null,
        },
        points,
      )
      expect(found, `killed after ${points.join(', ')} lines`).toMatchObject(expected)
      expect(found.ran).toBeGreaterThan(0)
      expect(found.abandoned).toBeGreaterThan(0)
    },
  )
})
