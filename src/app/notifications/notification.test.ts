import { expect, it } from 'vitest'
import { notificationOf } from './notification.ts'

const requested = {
  type: 'requested',
  approval: 'a1',
  principal: 'shop/one',
  tool: 'refund',
  service: 'pay',
  door: 'tool',
  rules: ['team.cedar#a'],
  expires: '2026-01-02T00:00:00.000Z',
  definition_hash: 'sha256:00',
}
const stored = (event: object) => ({
  index: 0,
  id: 'r1',
  timeMs: 0,
  namespace: 'shop',
  kind: 'approval' as const,
  call: 'c1',
  json: JSON.stringify({ event }),
})

it('tells the channels that want it of a call that waits, and of nothing else that is done with it', () => {
  expect(notificationOf(stored(requested), ['desk'])).toEqual({
    id: 'r1',
    type: 'approval.requested',
    channels: ['desk'],
    about: {
      record: 'r1',
      time: '1970-01-01T00:00:00.000Z',
      namespace: 'shop',
      call: 'c1',
      approval: 'a1',
      principal: 'shop/one',
      service: 'pay',
      tool: 'refund',
      door: 'tool',
      rules: ['team.cedar#a'],
      expires: '2026-01-02T00:00:00.000Z',
    },
  })
  expect(notificationOf(stored(requested), [])).toBeNull()
  for (const type of ['approved', 'denied', 'link-made'])
    expect(notificationOf(stored({ ...requested, type }), ['desk'])).toBeNull()
})

it('tells the channels for alarms of an output in quarantine, and not of its release', () => {
  const invariants = [{ id: 'sandbox-network', detail: 'network devices were there: eth0' }]
  const event = {
    type: 'quarantined',
    invariants,
    principal: 'shop/one',
    service: 'pay',
    tool: 'refund',
    outcome: 'r0',
  }
  const kept = { ...stored(event), kind: 'quarantine' as const }
  expect(notificationOf(kept, ['desk'], ['alarm'])).toMatchObject({
    type: 'output.quarantined',
    channels: ['alarm'],
    about: { call: 'c1', principal: 'shop/one', tool: 'refund', invariants },
  })
  expect(notificationOf(kept, ['desk'], [])).toBeNull()
  const released = { ...stored({ ...event, type: 'released' }), kind: 'quarantine' as const }
  expect(notificationOf(released, ['desk'], ['alarm'])).toBeNull()
})

it('tells the channels for alarms what an alarm says, without what is evidence', () => {
  const event = { type: 'log-conflict', where: 'directory', period: '', problem: 'two roots', ours: 'a', theirs: 'b' }
  const raised = { ...stored(event), kind: 'alarm' as const }
  const alarm = { type: 'log-conflict', where: 'directory', period: '', problem: 'two roots' }
  expect(notificationOf(raised, ['desk'], ['alarm'])).toMatchObject({
    type: 'alarm.raised',
    channels: ['alarm'],
    about: { namespace: 'shop', alarm },
  })
  expect(notificationOf(raised, ['desk'], ['alarm'])?.about['alarm']).toEqual(alarm)
  expect(notificationOf(raised, ['desk'], [])).toBeNull()
})
