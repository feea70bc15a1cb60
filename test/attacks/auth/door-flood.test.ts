import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createDoorRecords } from '../../../src/app/door-records.ts'
import { createLog } from '../../../src/app/index.ts'
import type { DoorRefusal } from '../../../src/http/index.ts'
import { isJsonObject, systemClock, type Clock } from '../../../src/kernel/index.ts'
import { openStorage } from '../../../src/storage/index.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

// A stranger needs no credential to be refused, and each refusal is to be on the record: without a bound a flood fills
// the disk, and a log that cannot be written stops the platform.

const never = 2 ** 31 - 1
const refusals = 100_000
const seconds = 120

function refusal(index: number): DoorRefusal {
  return {
    code: index % 3 === 0 ? 'credential_missing' : 'credential_invalid',
    status: 401,
    address: `${1 + (index % 200)}.${(index >> 4) & 255}.${(index >> 8) & 255}.${index & 255}`,
    route: index % 2 === 0 ? '/mcp/{namespace}' : null,
    namespace: `name-${index}`,
    principalId: null,
    credentialId: null,
    reason: 'unknown, expired or revoked key',
  }
}

function sizeOf(directory: string): number {
  return readdirSync(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0)
}

it('100,000 refusals in two minutes, each from another address, become few records that count every one', async () => {
  const dataDirectory = join(temporaryDirectory(), 'data')
  const storage = await openStorage({ dataDirectory, clock: systemClock })
  let nowMs = 0
  const clock: Clock = { nowMs: () => systemClock.nowMs(), monotonicMs: () => nowMs }
  const records = createDoorRecords(storage.decisionLog, clock, createLog('error'), never)
  const before = sizeOf(dataDirectory)
  let most = 0
  for (let index = 0; index < refusals; index += 1) {
    nowMs = (index / refusals) * seconds * 1000
    records.add(refusal(index))
    most = Math.max(most, records.waiting)
    if (index % (refusals / (seconds / 10)) === 0) await records.flush()
  }
  await records.close()
  const written = await storage.decisionLog.read({ namespace: 'platform', kinds: ['denied-at-door'], limit: 1000 })
  await storage.close()

  const counted = written.map(({ json }) => {
    const { event } = JSON.parse(json) as { event: unknown }
    return isJsonObject(event) ? Number(event.count) : 0
  })
  expect(counted.reduce((sum, count) => sum + count, 0)).toBe(refusals)
  expect(most).toBeLessThanOrEqual(250)
  expect(written.length).toBeLessThanOrEqual(251 * (seconds / 60 + 1))
  const bytesAMinute = (sizeOf(dataDirectory) - before) / (seconds / 60)
  expect(bytesAMinute).toBeLessThan(1024 * 1024)
})

it('a few refusals are a record each with address and namespace: the allowed twin', async () => {
  const storage = await openStorage({ dataDirectory: join(temporaryDirectory(), 'data'), clock: systemClock })
  const records = createDoorRecords(storage.decisionLog, systemClock, createLog('error'), never)
  for (let index = 0; index < 20; index += 1) records.add(refusal(index))
  await records.close()
  const written = await storage.decisionLog.read({ namespace: 'platform', kinds: ['denied-at-door'], limit: 1000 })
  await storage.close()
  expect(written.map(({ json }) => (JSON.parse(json) as { event: object }).event)).toEqual(
    Array.from({ length: 20 }, (_, index) => expect.objectContaining({ ...refusal(index), count: 1 })),
  )
})
