import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { JsonObject } from '../../../src/kernel/index.ts'
import { openStream } from '../../support/event-stream.ts'
import { gatedEntry, type GatedEntry } from '../../support/gated-entry.ts'
import { callModern, modernMeta } from '../../support/mcp-messages.ts'
import { startTestApp, toolResult, type TestApp } from '../../support/running-app.ts'

// I1 and I12: when a tenant's credentials are known to be in the wrong hands nobody has time to revoke them one by one.
// One command ends all of them, and what runs, and leaves other tenants alone.

let test: TestApp
let gate: GatedEntry
let port: number
let dataDirectory: string
let demo: string
let zoo: string

async function begin(): Promise<void> {
  gate = gatedEntry('gate-wait')
  test = await startTestApp({ dataDirectory, entries: [gate.entry, gatedEntry('gate-wait', 'zoo').entry] })
  port = Number(new URL(test.app.url).port)
}

beforeAll(async () => {
  dataDirectory = mkdtempSync(join(tmpdir(), 'mcpworks-test-'))
  await begin()
  for (const namespace of ['demo', 'zoo']) {
    await test.apply(namespace, {
      'namespace.yaml': `namespace: ${namespace}\nagents:\n  - name: worker\n`,
      'policies/all.cedar': 'permit (principal, action == Action::"call", resource);',
    })
  }
  demo = await test.key('demo', 'worker')
  zoo = await test.key('zoo', 'worker')
})
afterEach(async () => {
  await test.manage('platform', 'platform.open', {})
  await test.manage('demo', 'namespace.open', { namespace: 'demo' })
})
afterAll(async () => {
  await test.close()
  rmSync(dataDirectory, { recursive: true, force: true })
})

const close = (reason = 'keys leaked'): Promise<JsonObject> =>
  test.manage('demo', 'namespace.close', { namespace: 'demo', reason })
const list = async (key: string, namespace: string): Promise<number> =>
  (await callModern(port, 'tools/list', {}, { credential: key, namespace })).status

describe('a namespace that is closed', () => {
  it('refuses its agents from the next request on, like strangers, and other namespaces notice nothing', async () => {
    expect(await list(demo, 'demo')).toBe(200)
    await close()
    const refused = await callModern(port, 'tools/list', {}, { credential: demo })
    expect(refused.status).toBe(401)
    expect(refused.headers['www-authenticate']).toContain('invalid_token')
    expect(await list(zoo, 'zoo')).toBe(200)
  })

  it('has its calls and streams cut off in the middle', async () => {
    const begun = gate.begun()
    const running = test.call(demo, 'demo', 'gate-wait', {})
    await begun
    const listen = {
      jsonrpc: '2.0',
      id: 'sub',
      method: 'subscriptions/listen',
      params: { notifications: { toolsListChanged: true }, _meta: modernMeta() },
    }
    const stream = await openStream(port, listen, {
      'MCP-Protocol-Version': '2026-07-28',
      'Mcp-Method': 'subscriptions/listen',
      Authorization: `Bearer ${demo}`,
    })
    await stream.next()
    await close()
    const cut = await running
    expect(cut.status).toBe(401)
    expect(JSON.stringify(cut)).not.toContain('secret output')
    expect(await stream.next()).toMatchObject({ id: 'sub' })
    expect(await stream.next()).toBeNull()
  })

  it('gives out nothing that could be used: its agents are no principals while it lasts', async () => {
    expect(test.app.registry.findActivePrincipal('demo/worker')).not.toBeNull()
    await close()
    expect(test.app.registry.findActivePrincipal('demo/worker')).toBeNull()
    const made = await test.key('demo', 'worker')
    expect(await list(made, 'demo')).toBe(401)
    await test.manage('demo', 'namespace.open', { namespace: 'demo' })
    expect(await list(made, 'demo')).toBe(200)
  })

  it('is still managed by people, who see why it is closed', async () => {
    await close('an agent went wild')
    const { namespaces } = await test.manage('platform', 'namespace.list', {})
    expect(namespaces).toContainEqual(
      expect.objectContaining({
        name: 'demo',
        closed: expect.objectContaining({ reason: 'an agent went wild', closedBy: 'operator' }),
      }),
    )
    expect((await test.manage('demo', 'agent.list', { namespace: 'demo' })).agents).toHaveLength(1)
  })

  it('is closed for people too where they use its tools', async () => {
    const call = () =>
      test.app.gateway.perform(
        {
          caller: test.app.operator,
          namespace: 'demo',
          door: 'tool',
          effect: { kind: 'call', tool: 'gate-wait', arguments: {}, resume: null },
          facts: { method: 'tools/call', protocolVersion: null, requestId: null, trace: null, clientCapabilities: {} },
        },
        { signal: new AbortController().signal, log: () => {}, progress: () => {} },
      )
    await close()
    expect(await call()).toMatchObject({ status: 'unavailable', code: 'credential_invalid' })
  })

  it('stays closed over a restart, and opens again', async () => {
    await close()
    await test.close()
    await begin()
    expect(await list(demo, 'demo')).toBe(401)
    expect(await list(zoo, 'zoo')).toBe(200)
    await test.manage('demo', 'namespace.open', { namespace: 'demo' })
    expect(await list(demo, 'demo')).toBe(200)
    const begun = gate.begun()
    const running = test.call(demo, 'demo', 'gate-wait', {})
    await begun
    gate.release()
    expect(toolResult((await running).message).text).toBe('secret output')
  })

  it('stays closed when a closure of all is ended, and a closure of all stays when one is opened', async () => {
    await close()
    await test.manage('platform', 'platform.close', { reason: 'everything' })
    expect([await list(demo, 'demo'), await list(zoo, 'zoo')]).toEqual([401, 401])
    expect(await test.manage('demo', 'namespace.open', { namespace: 'demo' })).toEqual({
      opened: true,
      stillClosed: true,
    })
    expect(await list(demo, 'demo')).toBe(401)
    await close()
    await test.manage('platform', 'platform.open', {})
    expect([await list(demo, 'demo'), await list(zoo, 'zoo')]).toEqual([401, 200])
  })

  it('is on the record with the reason', async () => {
    await close('keys leaked')
    const { records } = await test.manage('demo', 'audit.tail', {
      namespace: 'demo',
      kind: 'credential',
      limit: 1,
      reads: false,
      waitSeconds: 0,
    })
    expect(records).toMatchObject([{ record: { event: { type: 'namespace-closed', reason: 'keys leaked' } } }])
  })
})
