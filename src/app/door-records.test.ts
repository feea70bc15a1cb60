import { describe, expect, it } from 'vitest'
import type { DecisionLog, RecordDraft } from '../audit/index.ts'
import type { DoorRefusal } from '../http/index.ts'
import { McpworksError, systemClock } from '../kernel/index.ts'
import { createDoorRecords } from './door-records.ts'
import { createLog } from './log.ts'

function refusal(address: string): DoorRefusal {
  return {
    code: 'credential_invalid',
    status: 401,
    address,
    route: null,
    namespace: null,
    principalId: null,
    credentialId: null,
    reason: 'wrong secret',
  }
}

/** A log whose disk is full after `room` records until `room` is raised. */
function fillingLog(room: number) {
  const drafts: RecordDraft[] = []
  const disk = { room }
  const log = {
    async append(draft: RecordDraft) {
      if (drafts.length >= disk.room) throw new McpworksError('audit_unavailable')
      drafts.push(draft)
      return { id: '', namespace: draft.namespace, index: 0 }
    },
  } as Partial<DecisionLog> as DecisionLog
  const counts = (): Record<string, number> =>
    Object.fromEntries(
      drafts.map((draft) =>
        'event' in draft
          ? [String(draft.event.address ?? draft.event.network ?? 'many'), Number(draft.event.count)]
          : [],
      ),
    )
  return { log, disk, drafts, counts }
}

const quiet = createLog('error')
quiet.level = 'silent'
const never = 2 ** 31 - 1

describe('refusals at the door', () => {
  it('of one kind become one record that counts them', async () => {
    const { log, counts } = fillingLog(100)
    const records = createDoorRecords(log, systemClock, quiet, never)
    for (let index = 0; index < 1000; index += 1) records.add(refusal(index % 2 === 0 ? '::1' : '127.0.0.1'))
    await records.close()
    expect(counts()).toEqual({ '::1': 500, '127.0.0.1': 500 })
  })

  it('of very many kinds become a bounded number of records that together count every one', async () => {
    const { log, drafts, counts } = fillingLog(10_000)
    const records = createDoorRecords(log, systemClock, quiet, never)
    for (let index = 0; index < 5000; index += 1) records.add(refusal(`10.0.${index >> 8}.${index & 255}`))
    await records.close()
    expect(drafts.length).toBe(201)
    expect(counts()['10.0.0.0/16']).toBe(4800)
    expect(Object.values(counts()).reduce((sum, count) => sum + count, 0)).toBe(5000)
  })

  it('that cannot be recorded yet are recorded later, every one of them', async () => {
    const { log, disk, drafts } = fillingLog(1)
    const records = createDoorRecords(log, systemClock, quiet, never)
    for (const address of ['10.0.0.1', '10.0.0.2', '10.0.0.3']) records.add(refusal(address))
    await records.flush()
    records.add(refusal('10.0.0.2'))
    disk.room = 100
    await records.close()
    expect(drafts.map((draft) => ('event' in draft ? [draft.event.address, draft.event.count] : []))).toEqual([
      ['10.0.0.1', 1],
      ['10.0.0.2', 2],
      ['10.0.0.3', 1],
    ])
  })

  it('let the server stop where they cannot be recorded at all', async () => {
    const records = createDoorRecords(fillingLog(0).log, systemClock, quiet, never)
    for (let index = 0; index < 500; index += 1) records.add(refusal(`10.0.0.${index}`))
    await expect(records.close()).resolves.toBeUndefined()
  })
})
