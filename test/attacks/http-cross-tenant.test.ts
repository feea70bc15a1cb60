import { createServer } from 'node:http'
import { Server, WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { verifies } from '../conformance/requirements.ts'
import { textOutcome, toolEntry } from '../support/echo-entries.ts'
import { agent, startHarness, type Harness } from '../support/http-harness.ts'
import { callModern, openLegacySession, postLegacy } from '../support/mcp-messages.ts'
import { createScriptedGateway } from '../support/scripted-gateway.ts'

// I1 of design/threats.md (Asana, June 2025; CVE-2026-25536): one caller's answer reaches another. P2: a session id
// is enough to be somebody.

let harness: Harness
/** Lets calls go when both callers are there, so that they are certain to run at the same time. */
let meet: () => Promise<void>
beforeAll(async () => {
  const secretOf = (tenant: string) =>
    toolEntry(
      'secret',
      async ({ caller }) => {
        await meet()
        return textOutcome(`${tenant} secret for ${caller.principal.id}`)
      },
      tenant,
    )
  harness = await startHarness({
    callers: { 'alice-secret': agent('alice', 'demo'), 'mallory-secret': agent('mallory', 'other') },
    entries: [secretOf('demo'), secretOf('other')],
  })
})
afterAll(() => harness.close())

function meetingOf(count: number): () => Promise<void> {
  let arrived = 0
  let open = (): void => {}
  const all = new Promise<void>((resolve) => (open = resolve))
  return () => {
    arrived += 1
    if (arrived === count) open()
    return all
  }
}

describe('I1: two callers with the same JSON-RPC id at the same time', () => {
  it('get their own answers in the new era', async () => {
    meet = meetingOf(40)
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_none, index) =>
        index % 2 === 0
          ? callModern(harness.port, 'tools/call', { name: 'secret' }, { id: 1 })
          : callModern(
              harness.port,
              'tools/call',
              { name: 'secret' },
              { id: 1, credential: 'mallory-secret', namespace: 'other' },
            ),
      ),
    )
    for (const [index, { text }] of answers.entries()) {
      expect(text).toContain(index % 2 === 0 ? 'demo secret for demo/alice' : 'other secret for other/mallory')
    }
  })

  it('get their own answers in sessions of 2025-11-25, also twice in one session', async () => {
    meet = meetingOf(4)
    const theirs = { credential: 'mallory-secret', namespace: 'other' }
    const [mine, hers] = [await openLegacySession(harness.port), await openLegacySession(harness.port, {}, theirs)]
    const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'secret' } }
    const answers = await Promise.all([
      postLegacy(harness.port, call, { session: mine }),
      postLegacy(harness.port, call, { session: hers, ...theirs }),
      postLegacy(harness.port, call, { session: mine }),
      postLegacy(harness.port, call, { session: hers, ...theirs }),
    ])
    expect(answers.map(({ text }) => /(\w+) secret/.exec(text)?.[1])).toEqual(['demo', 'other', 'demo', 'other'])
  })

  it('are mixed up by one transport for all, which is what this server does not do', async () => {
    const server = new Server({ name: 'shared', version: '1' }, { capabilities: { tools: {} } })
    let aliceIsThere = (): void => {}
    const alice = new Promise<void>((resolve) => (aliceIsThere = resolve))
    meet = meetingOf(2)
    server.setRequestHandler('tools/call', async (request) => {
      if (request.params.name === 'alice') aliceIsThere()
      await meet()
      return { content: [{ type: 'text', text: `secret for ${request.params.name}` }] }
    })
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => 'one-for-all',
      enableJsonResponse: true,
    })
    await server.connect(transport)
    const http = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const headers = new Headers(Object.entries(request.headers).map(([name, value]) => [name, String(value)]))
        const incoming = new Request('http://localhost/mcp', { method: 'POST', headers, body: Buffer.concat(chunks) })
        const serve = async (): Promise<void> => {
          const answer = await transport.handleRequest(incoming)
          response.writeHead(answer.status, Object.fromEntries(answer.headers))
          response.end(await answer.text())
        }
        serve().catch(() => response.destroy())
      })
    })
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
    const address = http.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    await openLegacySession(port)
    const call = (name: string) =>
      postLegacy(port, { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name } }, { session: 'one-for-all' })
    call('alice').catch(() => {})
    await alice
    const answerToMallory = await call('mallory')
    http.closeAllConnections()
    http.close()
    expect(answerToMallory.text).toContain('secret for alice')
  })
})

describe('P2: a session id', () => {
  const list = { jsonrpc: '2.0', id: 2, method: 'tools/list', params: {} }

  it(verifies('legacy-session', 'authorises nothing by itself and nothing for another principal'), async () => {
    const session = await openLegacySession(harness.port)
    expect((await postLegacy(harness.port, list, { session })).status).toBe(200)
    const stolen = await postLegacy(harness.port, list, { session, credential: 'mallory-secret', namespace: 'other' })
    const madeUp = await postLegacy(harness.port, list, {
      session: 'made-up',
      credential: 'mallory-secret',
      namespace: 'other',
    })
    expect([stolen.status, stolen.text]).toEqual([404, madeUp.text])
    const bare = await postLegacy(harness.port, list, { session, headers: { Authorization: 'Bearer none' } })
    expect(bare.status).toBe(401)
  })

  it('ends to be good at once when the credential is revoked', async () => {
    const session = await openLegacySession(harness.port)
    const alice = harness.credentials.get('alice-secret')
    harness.credentials.delete('alice-secret')
    expect((await postLegacy(harness.port, list, { session })).status).toBe(401)
    if (alice !== undefined) harness.credentials.set('alice-secret', alice)
    expect((await postLegacy(harness.port, list, { session })).status).toBe(200)
  })
})

describe('I1: a namespace', () => {
  it(
    verifies('namespace-entry', 'of another tenant and one that is not there are one answer, byte for byte'),
    async () => {
      const gateway = createScriptedGateway()
      const strict = await startHarness({
        gateway: () => gateway,
        callers: { 'mallory-secret': agent('mallory', 'other') },
      })
      const options = { credential: 'mallory-secret' }
      const [theirs, nowhere] = [
        await callModern(strict.port, 'tools/list', {}, { ...options, namespace: 'demo' }),
        await callModern(strict.port, 'tools/list', {}, { ...options, namespace: 'nowhere' }),
      ]
      await strict.close()
      expect([theirs.status, theirs.text]).toEqual([404, nowhere.text])
      expect(Object.keys(theirs.headers)).toEqual(Object.keys(nowhere.headers))
      expect(gateway.requests).toEqual([])
      expect(
        (await callModern(harness.port, 'tools/list', {}, { credential: 'mallory-secret', namespace: 'other' })).status,
      ).toBe(200)
    },
  )
})
