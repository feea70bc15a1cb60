import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openAuditReader } from '../../src/storage/index.ts'
import { killAndLook } from '../support/killed-log.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

// A thousand kills are in test/faults; these few are here so that every run of the tests tries some.
it('killed in the middle of calls, runs nothing unrecorded and loses nothing acknowledged', async () => {
  const dataDirectory = join(temporaryDirectory(), 'data')
  const hasLog = (): boolean => existsSync(join(dataDirectory, 'audit.db'))
  const reader = async () => (hasLog() ? openAuditReader({ dataDirectory }) : null)
  const place = { storage: { dataDirectory }, reader }
  const found = await killAndLook(place, [0, 1, 700, 33, 260])
  expect(found).toMatchObject({ kills: 5, whileOpening: 1, unrecorded: [], lost: [], problems: [], open: 0 })
  // The kills have to have come in the middle of calls, or what a start says of them was never tried.
  expect(found.abandoned).toBeGreaterThan(0)
})
