import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'vitest'
import { openAuditReader } from '../../src/storage/index.ts'
import { killAndLook, type KilledPlace } from '../support/killed-log.ts'

/** Kills in all, so many on one data directory, which each finds as the last kill left it. */
const kills = 1000
const killsAPlace = 25
/** Agents make some lines a millisecond: from the first call to the third checkpoint. */
const longestLines = 1200

/** After how many lines each process is killed: one in ten while it opens, the others early more often than late. */
function randomPoints(): number[] {
  return Array.from({ length: killsAPlace }, (_, round) =>
    round % 10 === 0 ? Math.floor(Math.random() * 2) : Math.floor(Math.random() ** 2 * longestLines),
  )
}

const places: Record<string, () => KilledPlace & { remove(): void }> = {
  SQLite() {
    const directory = mkdtempSync(join(tmpdir(), 'mcpworks-killed-'))
    const dataDirectory = join(directory, 'data')
    return {
      storage: { dataDirectory },
      reader: async () => (existsSync(join(dataDirectory, 'audit.db')) ? openAuditReader({ dataDirectory }) : null),
      remove: () => rmSync(directory, { recursive: true, force: true }),
    }
  },
}

describe.each(Object.entries(places))('killed with SIGKILL under load, on %s', (_, place) => {
  it.concurrent.for(Array.from({ length: kills / killsAPlace }, (_, part) => part))(
    'runs nothing unrecorded and loses nothing acknowledged (part %i)',
    async (_part, { onTestFinished, expect }) => {
      const points = randomPoints()
      const here = place()
      onTestFinished(() => here.remove())
      const found = await killAndLook(here, points)
      expect(found, `killed after ${points.join(', ')} lines`).toMatchObject({
        kills: killsAPlace,
        unrecorded: [],
        lost: [],
        problems: [],
        open: 0,
      })
      // The kills have to have come in the middle of calls, or what a start says of them was never tried.
      expect(found.ran).toBeGreaterThan(0)
      expect(found.abandoned).toBeGreaterThan(0)
    },
  )
})
