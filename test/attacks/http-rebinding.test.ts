import { createHook } from 'node:async_hooks'
import { spawn } from 'node:child_process'
import { afterEach, describe, expect, it } from 'vitest'
import { verifies } from '../conformance/requirements.ts'
import { echoEntry } from '../support/echo-entries.ts'
import { sendRaw, startHarness, type Harness, type HarnessOptions } from '../support/http-harness.ts'
import { callModern, modernRequest } from '../support/mcp-messages.ts'
import { createScriptedGateway } from '../support/scripted-gateway.ts'

// I2 of design/threats.md (MCP Inspector, CVE-2025-49596): a page in a browser reaches a server on loopback by DNS
// rebinding, or with a request that needs no preflight, and has it start a command. I12: reachable from other machines.

let harness: Harness
afterEach(() => harness.close())

async function start(options: HarnessOptions = {}): Promise<Harness> {
  harness = await startHarness({ entries: [echoEntry()], ...options })
  return harness
}

const evil = 'evil.example'
const said = 'alice said'
async function call(headers: Record<string, string | null>): Promise<{ status: number; text: string }> {
  const request = modernRequest('tools/call', { name: 'echo', arguments: {} }, { headers })
  return sendRaw(harness.port, { method: 'POST', ...request })
}

describe('I2: a page in a browser', () => {
  it(
    verifies('host-checked', 'is refused for a bad Host alone, and is served where that Host is allowed'),
    async () => {
      const { port } = await start()
      const refused = await call({ Host: `${evil}:${port}` })
      expect([refused.status, refused.text.includes(said)]).toEqual([403, false])
      expect(harness.refusals.at(-1)).toMatchObject({ code: 'host_refused', principalId: null })
      expect((await call({ Host: `localhost:${port}` })).text).toContain(said)
      await harness.close()
      await start({ config: { allowedHosts: [evil] } })
      expect((await call({ Host: evil })).text).toContain(said)
    },
  )

  it(
    verifies('origin-checked', 'is refused for a bad Origin alone, and is served where that Origin is allowed'),
    async () => {
      await start()
      for (const Origin of [`http://${evil}`, 'null', 'http://localhost:3000', 'file://', '']) {
        const refused = await call({ Origin })
        expect([Origin, refused.status, refused.text.includes(said)]).toEqual([Origin, 403, false])
      }
      expect(
        (await call({ Origin: `http://127.0.0.1:${harness.port}`, Host: `127.0.0.1:${harness.port}` })).text,
      ).toContain(said)
      await harness.close()
      await start({ config: { allowedOrigins: [`http://${evil}`] } })
      expect((await call({ Origin: `http://${evil}` })).text).toContain(said)
    },
  )

  it('is refused with a Host header twice, whichever comes first', async () => {
    const { port } = await start()
    const { path, headers, body } = modernRequest('tools/call', { name: 'echo', arguments: {} })
    for (const hosts of [
      ['localhost', evil],
      [evil, 'localhost'],
    ]) {
      const doubled = hosts.flatMap((host) => ['Host', host])
      expect((await sendRaw(port, { method: 'POST', path, headers: [...doubled, ...headers], body })).status).toBe(400)
    }
    expect(
      (await sendRaw(port, { method: 'POST', path, headers: ['Host', 'localhost', ...headers], body })).text,
    ).toContain(said)
  })

  it.each([
    'text/plain',
    'text/plain;charset=UTF-8',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonp',
    '',
    null,
  ])(verifies('content-type', 'gets nothing done by a POST of type %s, which needs no preflight'), async (type) => {
    await start()
    const refused = await call({ 'Content-Type': type })
    expect([refused.status, refused.text.includes(said)]).toEqual([415, false])
    for (const right of ['application/json', 'Application/JSON; charset=utf-8'])
      expect((await call({ 'Content-Type': right })).text).toContain(said)
  })

  it('gets no permission from a preflight', async () => {
    const { port } = await start()
    const answer = await sendRaw(port, {
      method: 'OPTIONS',
      path: '/mcp/demo',
      headers: [
        'Origin',
        `http://${evil}`,
        'Access-Control-Request-Method',
        'POST',
        'Access-Control-Request-Headers',
        'authorization',
      ],
    })
    expect(answer.status).toBe(403)
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([])
  })

  it('starts no process, whatever its request says', async () => {
    const { port } = await start()
    const started: string[] = []
    const hook = createHook({ init: (_id, type) => void (type === 'PROCESSWRAP' && started.push(type)) }).enable()
    for (const path of [
      '/sse?transportType=stdio&command=touch&args=/tmp/canary',
      '/mcp/demo?command=touch',
      '/stdio',
      '/connect?command=touch',
    ]) {
      await sendRaw(port, { path })
      await sendRaw(port, { path, headers: ['Authorization', 'Bearer alice-secret'] })
      await sendRaw(port, {
        method: 'POST',
        path,
        headers: ['Authorization', 'Bearer alice-secret', 'Content-Type', 'application/json'],
        body: '{"command":"touch","args":["/tmp/canary"]}',
      })
    }
    await callModern(port, 'tools/call', { name: 'echo', arguments: { command: 'touch' } })
    expect(started).toEqual([])
    // The same watch does see a process when one is started.
    const child = spawn(process.execPath, ['--version'])
    await new Promise((resolve) => child.on('close', resolve))
    hook.disable()
    expect(started).toEqual(['PROCESSWRAP'])
  })
})

describe('I12: another machine', () => {
  it('cannot reach a server that was not told to listen for it', async () => {
    const { url } = await start()
    expect(new URL(url).hostname).toBe('127.0.0.1')
  })

  it('gets nothing by an empty list: empty allows nobody', async () => {
    await start({ config: { allowedHosts: [], allowedOrigins: [] } })
    expect((await call({ Host: evil })).status).toBe(403)
    expect((await call({ Origin: 'https://any.example' })).status).toBe(403)
  })

  it(
    verifies(
      'credential-first',
      'learns nothing of tools: without a credential no call reaches the pipeline, with one it does',
    ),
    async () => {
      const gateway = createScriptedGateway()
      const { port } = await start({ gateway: () => gateway })
      const known = await callModern(port, 'tools/call', { name: 'echo' }, { headers: { Authorization: null } })
      const unknown = await callModern(port, 'tools/call', { name: 'nothing' }, { headers: { Authorization: null } })
      expect([known.status, known.text === unknown.text, gateway.requests.length]).toEqual([401, true, 0])
      await callModern(port, 'tools/call', { name: 'echo' })
      expect(gateway.requests).toHaveLength(1)
    },
  )
})
