import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { isJsonObject, type JsonObject } from '../../src/kernel/index.ts'
import { httpReceiver } from '../support/receivers.ts'
import { startTestApp } from '../support/running-app.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

it('tells the channels for alarms where the log is not taken, where it is again, and where another log lies', async () => {
  const [logs, published] = [join(temporaryDirectory(), 'logs'), temporaryDirectory()]
  const tree = join(published, 'platform', new Date().toISOString().slice(0, 7))
  mkdirSync(tree, { recursive: true })
  writeFileSync(join(tree, 'checkpoint'), 'no checkpoint of this log\n')
  const channel = await httpReceiver(() => 200)
  const app = await startTestApp({
    configuration: {
      exporters: {
        intervalMs: 10,
        receivers: [{ type: 'file', name: 'lines', path: join(logs, 'log.jsonl'), from: 'beginning' }],
      },
      publishing: { directory: published, everySeconds: 1 },
      gateway: {
        notifications: {
          secret: 'a secret of more than thirty-two characters',
          networks: ['127.0.0.0/8'],
          channels: [{ name: 'desk', url: `http://127.0.0.1:${channel.port}/` }],
          alerts: ['desk'],
          alarmAfterSeconds: 1,
        },
      },
    },
  })
  onTestFinished(async () => {
    await app.close()
    await channel.kill()
  })
  const alarms = (): JsonObject[] =>
    channel.sent.map(({ body }) => {
      const { type, channel: told, data } = JSON.parse(body.toString()) as JsonObject
      expect([type, told]).toEqual(['alarm.raised', 'desk'])
      return isJsonObject(data) && isJsonObject(data['alarm']) ? data['alarm'] : {}
    })
  const tells = async (type: string): Promise<JsonObject | undefined> => {
    await channel.until(() => alarms().some((alarm) => alarm['type'] === type))
    return alarms().find((alarm) => alarm['type'] === type)
  }
  const doctor = async (id: string): Promise<JsonObject | undefined> => {
    const { checks } = await app.manage('platform', 'platform.doctor', {})
    return (checks as JsonObject[]).find((check) => check['id'] === id)
  }

  expect(await tells('log-conflict')).toEqual({
    type: 'log-conflict',
    where: 'directory',
    period: expect.any(String),
    problem: expect.stringContaining('checkpoint'),
  })
  expect(await tells('receiver-failing')).toMatchObject({
    where: 'exporter lines',
    problem: 'its directory is not there (ENOENT)',
  })
  expect(await doctor('exporter lines')).toMatchObject({ ok: false, detail: expect.stringContaining('ENOENT') })
  expect(await doctor('publishing: directory')).toMatchObject({ ok: false })
  expect(await doctor('channel desk')).toEqual({
    id: 'channel desk',
    ok: true,
    detail: 'takes what it is told',
    remedy: null,
  })

  mkdirSync(logs)
  expect(await tells('receiver-recovered')).toEqual({ type: 'receiver-recovered', where: 'exporter lines' })
  expect(await doctor('exporter lines')).toMatchObject({ ok: true })
  const kinds = readFileSync(join(logs, 'log.jsonl'), 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => (JSON.parse(line) as JsonObject)['kind'])
  expect(kinds).toContain('alarm')
})
