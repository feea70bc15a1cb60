import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CatalogueEntry } from '../../src/gateway/index.ts'
import { isJsonObject, type JsonObject } from '../../src/kernel/index.ts'
import { textOutcome, toolEntry } from '../support/echo-entries.ts'
import { gatedEntry } from '../support/gated-entry.ts'
import { keptDirectory } from '../support/kept-directory.ts'
import { startTestApp, toolResult, type TestApp } from '../support/running-app.ts'

/**
 * Threat category "information flow" (design/threats.md): whoever took in untrusted content writes nothing any more,
 * as long as the run lasts. The attacks begin anew in every way that an agent has.
 */
const policies = `
  permit (principal, action == Action::"call", resource in Namespace::"demo");
  @id("no-writes-after-untrusted-input")
  forbid (principal, action == Action::"call", resource == Tool::"demo/write")
  when { context.labels.contains("untrusted-input") };
`

/** A tool whose code calls others in turn, and says how each call of it ended. */
function callingEntry(name: string, calls: readonly string[]): CatalogueEntry {
  const plain = toolEntry(name, async () => textOutcome(''))
  return {
    ...plain,
    calls,
    backend: {
      async act(_invocation, { signal }, callTool) {
        const ends: string[] = []
        for (const tool of calls) ends.push((await callTool(tool, {}, signal)).status)
        return textOutcome(ends.join(' '))
      },
    },
  }
}

const reading = gatedEntry('read-slowly')
const entries: CatalogueEntry[] = [
  { ...toolEntry('read', async () => textOutcome('anybody wrote this')), labels: ['untrusted-input'] },
  { ...reading.entry, labels: ['untrusted-input'] },
  toolEntry('write', async () => textOutcome('written')),
  callingEntry('read-inside', ['read']),
  callingEntry('write-read-write', ['write', 'read', 'write']),
]
const agents = ['plain', 'retrying', 'several', 'inner', 'within', 'early', 'other', 'lender', 'actor', 'bystander']
const keys = new Map<string, string>()
const dataDirectory = keptDirectory()
let tested: TestApp

beforeAll(async () => {
  tested = await startTestApp({ entries, dataDirectory })
  await tested.apply('demo', {
    'namespace.yaml': `namespace: demo\nagents: [${agents.map((name) => `{name: ${name}}`).join(', ')}]\n`,
    'policies/flow.cedar': policies,
  })
  for (const agent of agents) keys.set(agent, await tested.key('demo', agent))
})
afterAll(async () => tested.close())

const call = async (agent: string, tool: string, key = keys.get(agent) ?? '') =>
  toolResult((await tested.call(key, 'demo', tool, {})).message)

/** A call with the token of one agent in the hands of another, by a token of this server unless an issuer is named. */
async function callFor(principal: string, actor: string, tool: string, issuer?: string): Promise<string> {
  const { registry, operator, gateway } = tested.app
  const found = registry.findPrincipal(`demo/${principal}`)
  if (found === null) throw new Error(principal)
  const { key } = await registry.createKey(found.id, { label: 'test', scopes: ['mcp'], expiresAtMs: null })
  const acting = { clientId: null, tokenId: null, actors: [`demo/${actor}`] }
  const token = issuer === undefined ? { ...acting, issuer: 'here', actorCredentials: [key.id] } : { ...acting, issuer }
  const answer = await gateway.perform(
    {
      caller: {
        principal: registry.describe(found),
        authentication: { ...operator.authentication, credentialId: key.id, token },
        client: operator.client,
      },
      namespace: 'demo',
      door: 'tool',
      effect: { kind: 'call', tool, arguments: {}, resume: null },
      facts: { method: 'tools/call', protocolVersion: null, requestId: null, trace: null, clientCapabilities: {} },
    },
    { signal: new AbortController().signal, log: () => {}, progress: () => {} },
  )
  return answer.status
}

describe('an agent that acts for another', () => {
  it('has its own labels there, and takes home what it read there', async () => {
    expect(await callFor('lender', 'actor', 'write')).toBe('ok')
    expect((await call('actor', 'read')).isError).toBe(false)
    expect(await callFor('lender', 'actor', 'write')).toBe('denied')
    // The twins: the lender itself, and another one who acts for it.
    expect((await call('lender', 'write')).isError).toBe(false)
    expect(await callFor('lender', 'bystander', 'write')).toBe('ok')

    expect(await callFor('lender', 'bystander', 'read')).toBe('ok')
    expect((await call('bystander', 'write')).isError).toBe(true)
    expect((await call('lender', 'write')).isError).toBe(true)
  })

  it('is nobody of that name here where another issuer says who acts', async () => {
    expect(await callFor('lender', 'other', 'read', 'https://elsewhere.example')).toBe('ok')
    expect((await call('other', 'write')).isError).toBe(false)
  })
})

describe('an agent that took in untrusted content', () => {
  it('wrote before, and does not write after', async () => {
    expect(await call('plain', 'write')).toMatchObject({ isError: false, text: 'written' })
    expect((await call('plain', 'read')).isError).toBe(false)
    const refused = await call('plain', 'write')
    expect(refused.isError).toBe(true)
    expect(refused.text).toContain('flow.cedar#no-writes-after-untrusted-input')
    // The control: the same call of one that read nothing.
    expect((await call('other', 'write')).isError).toBe(false)
  })

  it('sheds the label neither by trying again nor by another credential', async () => {
    await call('retrying', 'read')
    const tries = [await call('retrying', 'write'), await call('retrying', 'write')]
    const fresh = await tested.key('demo', 'retrying')
    tries.push(await call('retrying', 'write', fresh))
    expect(tries.map(({ isError }) => isError)).toEqual([true, true, true])
  })

  it('has it from what its code reads on its behalf, and its code has it too', async () => {
    expect((await call('inner', 'read-inside')).text).toBe('ok')
    expect((await call('inner', 'write')).isError).toBe(true)
    expect((await call('within', 'write-read-write')).text).toBe('ok ok denied')
  })

  it('has it while the call that takes it in is under way, because its progress reaches the agent', async () => {
    const slow = call('early', 'read-slowly')
    await reading.begun()
    expect((await call('early', 'write')).isError).toBe(true)
    reading.release()
    await slow
  })

  it('has the labels before and after each call in the records of it', async () => {
    const { call: read } = await call('several', 'read')
    const { call: write } = await call('several', 'write')
    const labels = async (id: string) => {
      const { records } = await tested.manage('demo', 'audit.tail', { namespace: 'demo', principal: 'demo/several' })
      const ids = (records as JsonObject[]).map(({ record }) => record as JsonObject)
      const pre = ids.find((record) => record.call === id && record.kind === 'decision')?.pre
      return isJsonObject(pre) ? pre.labels_before : null
    }
    expect(await labels(read)).toEqual([])
    expect(await labels(write)).toEqual(['untrusted-input'])
    const page = String((await tested.manage('demo', 'audit.why', { namespace: 'demo', call: read })).text)
    expect(page).toContain('labels on the run after it: untrusted-input')
  })

  it('keeps it when the server is started again', async () => {
    await tested.close()
    tested = await startTestApp({ entries, dataDirectory })
    expect((await call('plain', 'write')).isError).toBe(true)
    expect((await call('other', 'write')).isError).toBe(false)
  })
})
