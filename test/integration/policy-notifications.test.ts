import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { JsonObject } from '../../src/kernel/index.ts'
import { textOutcome, toolEntry } from '../support/echo-entries.ts'
import { startTestApp, type TestApp } from '../support/running-app.ts'

const secret = 'a secret of more than thirty-two characters'
const files = {
  'namespace.yaml':
    'namespace: demo\nagents:\n  - name: ann\n    groups: [watched]\n  - name: eve\n    groups: [plain]\n',
  'policies/demo.cedar': `
@id("watched") @obligation("notify security; notify nobody-there")
permit (principal in AgentGroup::"demo/watched", action == Action::"call", resource in Namespace::"demo");
@id("plain") permit (principal in AgentGroup::"demo/plain", action == Action::"call", resource in Namespace::"demo");
`,
}

interface Told {
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** A receiver that answers with `status`, and what it was told. */
let receiver: Server
let status = 500
const told: Told[] = []
const listeners = new Set<() => void>()
let directory: string
const entries = [toolEntry('pay', () => textOutcome('paid 12'))]

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'mcpworks-test-'))
  receiver = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      told.push({ headers: request.headers, body: Buffer.concat(chunks).toString('utf8') })
      response.statusCode = status
      response.end()
      for (const listener of listeners) listener()
    })
  })
  receiver.listen(0, '127.0.0.1')
  await once(receiver, 'listening')
})
afterAll(() => {
  receiver.close()
  rmSync(directory, { recursive: true, force: true })
})

const open = (): Promise<TestApp> =>
  startTestApp({
    dataDirectory: directory,
    entries,
    configuration: {
      gateway: {
        notifications: {
          secret,
          networks: ['127.0.0.0/8'],
          channels: [{ name: 'security', url: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook` }],
        },
      },
    },
  })

const until = async (count: number): Promise<void> =>
  await new Promise((resolve) => {
    const look = (): void => {
      if (told.length < count) return
      listeners.delete(look)
      resolve()
    }
    listeners.add(look)
    look()
  })

describe('a permit that notifies', () => {
  it('does not keep the call waiting for a receiver that is down, and tells it after a restart', async () => {
    const first = await open()
    await first.apply('demo', files)
    const [ann, eve] = [await first.key('demo', 'ann'), await first.key('demo', 'eve')]
    const { message } = await first.call(ann, 'demo', 'pay', { to: 'a canary argument' })
    expect(JSON.stringify(message)).toContain('paid 12')
    await until(1)
    await first.close()

    status = 204
    const second = await open()
    await until(2)
    await second.call(eve, 'demo', 'pay', {})
    await second.call(ann, 'demo', 'pay', {})
    await until(3)
    await second.close()

    const call = ((message.result as JsonObject)._meta as JsonObject)['mcpworks/call']
    const [refused, taken, later] = told.map(({ body }) => JSON.parse(body) as JsonObject)
    expect(taken).toMatchObject({
      type: 'call.allowed',
      channel: 'security',
      data: { call, namespace: 'demo', principal: 'demo/ann', tool: 'pay', rules: ['demo.cedar#watched'] },
    })
    expect(refused).toEqual(taken)
    expect(later).toMatchObject({ data: { principal: 'demo/ann' } })
    expect(JSON.stringify(told)).not.toMatch(/canary|paid/)
    const ids = told.map(({ headers }) => headers['webhook-id'])
    expect(ids[0]).toBe(ids[1])
    expect(ids[2]).not.toBe(ids[1])
  })

  it('is told with a signature that the receiver can check', () => {
    const key = createHmac('sha256', secret).update('security').digest()
    for (const { headers, body } of told) {
      const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`
      expect(headers['webhook-signature']).toBe(`v1,${createHmac('sha256', key).update(signed).digest('base64')}`)
    }
    expect(told).toHaveLength(3)
  })
})
