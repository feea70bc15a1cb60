import { afterAll, beforeAll, expect, it } from 'vitest'
import type { JsonObject } from '../../src/kernel/index.ts'
import { echoEntry } from '../support/echo-entries.ts'
import { startTestApp, toolResult, type TestApp } from '../support/running-app.ts'

let test: TestApp
let crawler: string
let other: string
beforeAll(async () => {
  test = await startTestApp({ entries: [echoEntry()] })
  await test.apply('demo', {
    'namespace.yaml': 'namespace: demo\nagents:\n  - name: crawler\n  - name: other\n',
    'policies/a.cedar': 'permit (principal, action == Action::"call", resource == Tool::"demo/echo");',
  })
  crawler = await test.key('demo', 'crawler')
  other = await test.key('demo', 'other')
})
afterAll(() => test.close())

async function call(key: string, text: string): Promise<string> {
  return toolResult((await test.call(key, 'demo', 'echo', { text })).message).call
}

const why = async (id: string) => String((await test.manage('demo', 'audit.why', { namespace: 'demo', call: id })).text)
const manage = (operation: string, input: JsonObject) =>
  test.manage(operation.startsWith('erasure') ? 'platform' : 'demo', operation, input)

it('erases an agent where the id is repeated and nothing is on hold, and no one else', async () => {
  const erased = await call(crawler, 'a private sentence')
  const kept = await call(other, 'another sentence')
  expect(await why(erased)).toContain('a private sentence')
  const subject = 'demo/crawler'
  await expect(manage('erasure.erase', { subject, confirm: 'yes' })).rejects.toThrow(/must repeat the id/)
  const { hold } = (await manage('hold.place', { namespace: 'demo', subject, reason: 'a case' })) as {
    hold: JsonObject
  }
  expect(await manage('hold.list', { namespace: 'demo' })).toMatchObject({ holds: [{ subject, reason: 'a case' }] })
  await expect(manage('erasure.erase', { subject, confirm: subject })).rejects.toThrow(/legal hold/)
  expect(await why(erased)).toContain('a private sentence')
  await manage('hold.lift', { namespace: 'demo', hold: String(hold.hold), reason: 'closed' })
  expect(await manage('erasure.erase', { subject, confirm: subject })).toMatchObject({
    erased: [{ subject, namespaces: [{ namespace: 'demo' }] }],
  })
  expect(await why(erased)).not.toContain('a private sentence')
  expect(await why(kept)).toContain('another sentence')
})

it('erases elsewhere what a hold of one namespace keeps there, and says who keeps what', async () => {
  await test.apply('side', {
    'namespace.yaml': 'namespace: side\n',
    'policies/a.cedar': 'permit (principal, action, resource);',
  })
  const kept = await call(crawler, 'kept by the hold')
  const subject = 'demo/crawler'
  const { hold } = (await manage('hold.place', { namespace: 'demo', subject: 'operator', reason: 'a case' })) as {
    hold: JsonObject
  }
  const answer = await manage('erasure.erase', { subject: 'operator', confirm: 'operator' })
  expect(answer).toMatchObject({
    erased: [
      { subject: 'operator', namespaces: expect.arrayContaining([expect.objectContaining({ namespace: 'side' })]) },
    ],
    held: [{ subject: 'operator', namespace: 'demo', hold: String(hold.hold), placedBy: 'operator' }],
  })
  await manage('hold.lift', { namespace: 'demo', hold: String(hold.hold), reason: 'closed' })
  expect(await manage('erasure.erase', { subject, confirm: subject })).toMatchObject({ held: [] })
  expect(await why(kept)).not.toContain('kept by the hold')
})

it('keeps of calls what the namespace says from the next one on', async () => {
  const set = await manage('recording.set', { namespace: 'demo', level: 'metadata', bodyDays: 30 })
  expect(set).toMatchObject({ level: 'metadata', bodyDays: 30, recordDays: 'forever', defaults: ['recordDays'] })
  expect(await why(await call(other, 'not to be kept'))).not.toContain('not to be kept')
  await manage('recording.set', { namespace: 'demo', level: 'default' })
  expect(await why(await call(other, 'to be kept'))).toContain('to be kept')
})
