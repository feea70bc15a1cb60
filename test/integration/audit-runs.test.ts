import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openStorage } from '../../src/storage/index.ts'
import { isJsonObject, systemClock, type JsonObject } from '../../src/kernel/index.ts'
import { decisionDraft, eventDraft } from '../support/record-drafts.ts'
import { recordValidator } from '../support/record-validator.ts'
import { startTestApp } from '../support/running-app.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const secret = 'a-canary-secret-of-more-than-thirty-two-characters'
const directory = () => join(temporaryDirectory(), 'data')

/** The records of all runs of a data directory that no server has. */
async function runsIn(dataDirectory: string): Promise<{ index: number; json: string; event: JsonObject }[]> {
  const storage = await openStorage({ dataDirectory, clock: systemClock })
  const records = await storage.decisionLog.read({ namespace: 'platform', kinds: ['start'], limit: 100 })
  await storage.close()
  return records.map(({ index, json }) => ({ index, json, event: eventOf(json) }))
}

function eventOf(json: string): JsonObject {
  const record: unknown = JSON.parse(json)
  if (!isJsonObject(record) || !isJsonObject(record.event)) throw new Error('no event')
  return record.event
}

it('records what runs, before it is reachable, and how the run before it ended', async () => {
  const dataDirectory = directory()
  const settings = { 'exporters.metricsToken': secret }
  const first = await startTestApp({ dataDirectory, settings })
  await first.apply('demo', { 'namespace.yaml': 'namespace: demo\n' })
  await first.close()
  // A server that is killed while a call is under way leaves its start, and the decision.
  const storage = await openStorage({ dataDirectory, clock: systemClock })
  const broken = eventDraft('start', { type: 'started' }, 'platform')
  const { index } = await storage.decisionLog.append(broken)
  await storage.decisionLog.append(decisionDraft())
  await storage.close()
  const third = await startTestApp({ dataDirectory, settings: { ...settings, 'http.maxBodyBytes': '4096' } })
  const { records } = await third.manage('platform', 'audit.tail', { namespace: 'platform', kind: 'start' })
  expect(records).toMatchObject([
    { summary: expect.stringMatching(/^version 0\.0\.0 started on linux/) },
    { summary: 'the server stopped in good order' },
    {},
    { summary: expect.stringMatching(/the run before BROKE OFF \(record \d+\); calls left without an outcome: 1/) },
  ])
  await third.close()
  const fourth = await startTestApp({ dataDirectory, settings })
  await fourth.close()

  const runs = await runsIn(dataDirectory)
  const kinds = ['started', 'stopped', 'started', 'started', 'stopped', 'started', 'stopped']
  expect(runs.map(({ event }) => event.type)).toEqual(kinds)
  const [one, , , three, stopped, four] = runs
  expect(one?.event).toMatchObject({
    before: null,
    abandoned: 0,
    database: 'sqlite',
    node: process.version,
    policies: { namespaces: 0, sets: [] },
    sandbox: { engine: 'bubblewrap', checks: { failed: [] } },
  })
  expect(three?.event).toMatchObject({ before: { ended: 'broken', record: index }, abandoned: 1 })
  expect(four?.event).toMatchObject({ before: { ended: 'clean', record: stopped?.index }, abandoned: 0 })
  const set = expect.stringMatching(/^sha256:/)
  expect(four?.event.policies).toMatchObject({ namespaces: 1, sets: [{ namespace: 'demo', set }] })
  const schema = createHash('sha256').update(readFileSync('docs/record.schema.json')).digest('hex')
  expect(one?.event.record_schema).toBe(`sha256:${schema}`)
  expect(four?.event.configuration).toBe(one?.event.configuration)
  expect(three?.event.configuration).not.toBe(one?.event.configuration)
  const problemsOf = recordValidator()
  for (const { json, index: at } of runs) {
    if (at !== index) expect(problemsOf(json)).toEqual([])
    expect(json).not.toContain(secret)
  }
})
