import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { JsonObject } from '../../src/kernel/index.ts'
import { verifies } from '../conformance/requirements.ts'
import { echoEntry, toolEntry, textOutcome } from '../support/echo-entries.ts'
import { openStream, type EventStream } from '../support/event-stream.ts'
import { agent, startHarness, type Harness } from '../support/http-harness.ts'
import { modernMeta } from '../support/mcp-messages.ts'
import { createOpenGateway } from '../support/open-gateway.ts'

let harness: Harness
const streams: EventStream[] = []
const hidden = new Set<string>()
beforeEach(async () => {
  harness = await startHarness({
    callers: { 'alice-secret': agent('alice'), 'bob-secret': agent('bob') },
    entries: [echoEntry()],
    config: { maxSubscriptionsPerCredential: 2, sseKeepAliveMs: 1000 },
    // Tools whose name ends in an agent's name are for that agent only.
    gateway: (catalogue) => {
      const open = createOpenGateway(catalogue)
      const isFor = (tool: JsonObject, name: string): boolean =>
        !hidden.has(String(tool.name)) && (!String(tool.name).includes('-only-') || String(tool.name).endsWith(name))
      return {
        ...open,
        list: (caller, namespace, kind) =>
          open.list(caller, namespace, kind).filter((tool) => isFor(tool, caller.principal.name)),
      }
    },
  })
})
afterEach(async () => {
  for (const stream of streams.splice(0)) stream.close()
  await harness.close()
})

async function listen(
  notifications: unknown,
  credential = 'alice-secret',
  id: string | number = 'sub-1',
): Promise<EventStream> {
  const message = { jsonrpc: '2.0', id, method: 'subscriptions/listen', params: { notifications, _meta: modernMeta() } }
  const headers = {
    'MCP-Protocol-Version': '2026-07-28',
    'Mcp-Method': 'subscriptions/listen',
    Authorization: `Bearer ${credential}`,
  }
  const stream = await openStream(harness.port, message, headers)
  streams.push(stream)
  return stream
}

const put = (name: string): void =>
  harness.catalogue.replaceService('demo', 'more', [toolEntry(name, () => textOutcome(name))])

describe('subscriptions/listen', () => {
  it(verifies('listen', 'acknowledges first, then tells of changes, each tagged with its id'), async () => {
    const stream = await listen({ toolsListChanged: true, promptsListChanged: false, resourceSubscriptions: ['a:b'] })
    const _meta = { 'io.modelcontextprotocol/subscriptionId': 'sub-1' }
    expect(await stream.next()).toEqual({
      jsonrpc: '2.0',
      method: 'notifications/subscriptions/acknowledged',
      params: { notifications: { toolsListChanged: true }, _meta },
    })
    put('new')
    expect(await stream.next()).toEqual({
      jsonrpc: '2.0',
      method: 'notifications/tools/list_changed',
      params: { _meta },
    })
  })

  it(verifies('listen', 'says nothing of what was not asked for'), async () => {
    const [prompts, tools] = [await listen({ promptsListChanged: true }), await listen({ toolsListChanged: true })]
    await prompts.next()
    await tools.next()
    put('new')
    expect((await tools.next())?.method).toBe('notifications/tools/list_changed')
    harness.credentials.clear()
    put('newer')
    expect(await prompts.next()).toMatchObject({ id: 'sub-1', result: { resultType: 'complete' } })
  })

  it(verifies('listen-visibility', 'tells of a change only those whose own list it changed'), async () => {
    const [alice, bob] = [
      await listen({ toolsListChanged: true }),
      await listen({ toolsListChanged: true }, 'bob-secret', 'sub-2'),
    ]
    await alice.next()
    await bob.next()
    put('secret-only-alice')
    expect((await alice.next())?.method).toBe('notifications/tools/list_changed')
    put('shared')
    expect(await bob.next()).toMatchObject({ method: 'notifications/tools/list_changed' })
    harness.credentials.clear()
    put('last')
    expect(await bob.next()).toMatchObject({ id: 'sub-2' })
  })

  it('tells of a change of policy, which the catalogue knows nothing of', async () => {
    const stream = await listen({ toolsListChanged: true })
    await stream.next()
    hidden.add('echo')
    expect((await stream.next())?.method).toBe('notifications/tools/list_changed')
    hidden.clear()
  })

  it(verifies('listen-revocation', 'ends when the credential is revoked, also while nothing changes'), async () => {
    const stream = await listen({ toolsListChanged: true })
    await stream.next()
    harness.credentials.delete('alice-secret')
    expect(await stream.next()).toMatchObject({ id: 'sub-1', result: { resultType: 'complete' } })
    expect(await stream.next()).toBeNull()
  })

  it('ends at once where nothing that was asked for can be told', async () => {
    const stream = await listen({ resourceSubscriptions: ['a:b'] })
    expect(await stream.next()).toMatchObject({ params: { notifications: {} } })
    expect(await stream.next()).toMatchObject({ id: 'sub-1', result: { resultType: 'complete' } })
    expect(await stream.next()).toBeNull()
  })

  it('ends with its result when the server stops', async () => {
    const stream = await listen({ toolsListChanged: true })
    await stream.next()
    const closing = harness.close()
    expect(await stream.next()).toMatchObject({ id: 'sub-1', result: { resultType: 'complete' } })
    await closing
  })

  it('is refused beyond the bound for one credential, and has room again when one closes', async () => {
    const [first, second] = [await listen({ toolsListChanged: true }), await listen({ toolsListChanged: true })]
    expect((await listen({ toolsListChanged: true })).status).toBe(429)
    expect((await listen({ toolsListChanged: true }, 'bob-secret')).status).toBe(200)
    await first.next()
    await second.next()
    first.close()
    await expect.poll(async () => (await listen({ toolsListChanged: true })).status).toBe(200)
  })

  it('without a filter is -32602', async () => {
    expect((await listen(undefined)).status).toBe(400)
  })
})
