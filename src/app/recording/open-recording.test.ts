import { expect, it } from 'vitest'
import type { RecordDraft, RecordingSettings } from '../../audit/index.ts'
import { openRecording } from './open-recording.ts'

async function recordingOf(stored: RecordingSettings[] = []) {
  const drafts: RecordDraft[] = []
  const recording = await openRecording({
    store: { load: async () => stored, put: async () => {} },
    decisionLog: {
      async append(draft) {
        drafts.push(draft)
        return { id: 'r', namespace: draft.namespace, index: 0 }
      },
    },
    config: {
      auditLevel: 'request',
      auditBodyDays: 'forever',
      auditRecordDays: 400,
      auditMinRecordDays: 180,
    },
    clock: { nowMs: () => 0, monotonicMs: () => 0 },
  })
  return { recording, drafts }
}

it('refuses to have texts of records deleted sooner than the configuration wants at least, and records nothing', async () => {
  const { recording, drafts } = await recordingOf()
  await expect(recording.change('demo', { recordDays: 179 }, 'ada')).rejects.toMatchObject({
    code: 'invalid_request',
    message: expect.stringContaining('180 days at least'),
  })
  expect(recording.inForce('demo').recordDays).toBe(400)
  expect(drafts).toEqual([])
})

it('takes what is not below that, and any number of days for arguments and results', async () => {
  const { recording, drafts } = await recordingOf()
  expect(await recording.change('demo', { recordDays: 180, bodyDays: 1 }, 'ada')).toMatchObject({
    recordDays: 180,
    bodyDays: 1,
  })
  expect(await recording.change('demo', { recordDays: 'forever' }, 'ada')).toMatchObject({ recordDays: 'forever' })
  expect(drafts).toHaveLength(2)
})

it('keeps texts for that long also where less is stored', async () => {
  const { recording } = await recordingOf([{ namespace: 'demo', level: null, bodyDays: 1, recordDays: 1 }])
  expect(recording.inForce('demo')).toMatchObject({ recordDays: 180, bodyDays: 1, own: { recordDays: 1 } })
})
