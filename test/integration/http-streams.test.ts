import { once } from 'node:events'
import { request as send } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { JsonObject } from '../../src/kernel/index.ts'
import { verifies } from '../conformance/requirements.ts'
import { textOutcome, toolEntry } from '../support/echo-entries.ts'
import { openStream } from '../support/event-stream.ts'
import { agent, startHarness, type Harness } from '../support/http-harness.ts'
import { callModern, messagesOf, modernRequest, openLegacySession, postLegacy } from '../support/mcp-messages.ts'

let harness: Harness
let aborted: Promise<void>
beforeAll(async () => {
  let sawAbort = (): void => {}
  aborted = new Promise((resolve) => (sawAbort = resolve))
  harness = await startHarness({
    callers: { 'alice-secret': agent('alice'), 'bob-secret': agent('bob') },
    entries: [
      toolEntry('talk', (_invocation, events) => {
        for (const level of ['debug', 'info', 'error']) events.log(level, `${level} line`, 'talk')
        events.progress(1, 2, 'half')
        return textOutcome('done')
      }),
      toolEntry('hang', async (_invocation, { signal, progress }) => {
        progress(0, null, null)
        await once(signal, 'abort')
        sawAbort()
        return textOutcome('aborted')
      }),
      toolEntry('ask', ({ effect }) => {
        const answers = effect.kind === 'call' ? (effect.resume?.inputResponses ?? {}) : {}
        if (answers.name !== undefined) return textOutcome(`answered ${JSON.stringify(answers.name)}`)
        const params = {
          message: 'Name?',
          requestedSchema: { type: 'object', properties: { name: { type: 'string' } } },
        }
        return {
          status: 'input-required',
          inputRequests: { name: { method: 'elicitation/create', params } },
          state: null,
        }
      }),
    ],
  })
})
afterAll(() => harness.close())

const kinds = (messages: readonly JsonObject[]): unknown[] => messages.map(({ method, id }) => method ?? id)

describe('notifications during a call', () => {
  it(verifies('progress', 'hold progress only where the request gave a token'), async () => {
    const withToken = await callModern(harness.port, 'tools/call', { name: 'talk' }, { meta: { progressToken: 'p' } })
    expect(withToken.headers['content-type']).toBe('text/event-stream')
    expect(kinds(messagesOf(withToken.text))).toEqual(['notifications/progress', 1])
    const without = await callModern(harness.port, 'tools/call', { name: 'talk' })
    expect(without.headers['content-type']).toBe('application/json')
  })

  it(verifies('log-level', 'hold log messages only from the level that the request asked for'), async () => {
    const meta = { 'io.modelcontextprotocol/logLevel': 'info' }
    const answer = await callModern(harness.port, 'tools/call', { name: 'talk' }, { meta })
    expect(
      messagesOf(answer.text)
        .slice(0, -1)
        .map(({ params }) => params),
    ).toEqual([
      { level: 'info', data: 'info line', logger: 'talk' },
      { level: 'error', data: 'error line', logger: 'talk' },
    ])
  })

  it(verifies('log-level', 'follow logging/setLevel in a session of 2025-11-25'), async () => {
    const session = await openLegacySession(harness.port)
    await postLegacy(
      harness.port,
      { jsonrpc: '2.0', id: 1, method: 'logging/setLevel', params: { level: 'error' } },
      { session },
    )
    const call = { jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'talk' } }
    expect(kinds(messagesOf((await postLegacy(harness.port, call, { session })).text))).toEqual([
      'notifications/message',
      2,
    ])
  })

  it('are dropped for a client that takes no event stream', async () => {
    const headers = { Accept: 'application/json' }
    const answer = await callModern(
      harness.port,
      'tools/call',
      { name: 'talk' },
      { meta: { progressToken: 'p' }, headers },
    )
    expect(answer.headers['content-type']).toBe('application/json')
  })
})

describe('leaving', () => {
  it(verifies('disconnect-cancels', 'by closing the connection cancels the call'), async () => {
    const { path, headers, body } = modernRequest('tools/call', { name: 'hang' }, { meta: { progressToken: 1 } })
    const outgoing = send({
      port: harness.port,
      host: '127.0.0.1',
      method: 'POST',
      path,
      headers: [...headers, 'Host', 'localhost', 'Content-Length', String(Buffer.byteLength(body))],
    })
    outgoing.end(body)
    await once(outgoing, 'response')
    outgoing.on('error', () => {})
    outgoing.destroy()
    await expect(aborted).resolves.toBeUndefined()
  })

  it(
    verifies('legacy-cancel', 'by notifications/cancelled ends the request of that id, in its own session only'),
    async () => {
      const [session, other] = [await openLegacySession(harness.port), await openLegacySession(harness.port)]
      const call = {
        jsonrpc: '2.0',
        id: 9,
        method: 'tools/call',
        params: { name: 'hang', _meta: { progressToken: 1 } },
      }
      const stream = await openStream(harness.port, call, { 'Mcp-Session-Id': session })
      expect((await stream.next())?.method).toBe('notifications/progress')
      const cancel = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 9 } }
      expect((await postLegacy(harness.port, cancel, { session: other })).status).toBe(202)
      expect(stream.ended).toBe(false)
      expect((await postLegacy(harness.port, cancel, { session })).status).toBe(202)
      expect(await stream.next()).toBeNull()
    },
  )
})

describe('a tool that needs input, for a client of 2025-11-25', () => {
  const call = { jsonrpc: '2.0', id: 3, method: 'tools/call', params: { name: 'ask' } }
  const answerTo = (id: unknown): JsonObject => ({
    jsonrpc: '2.0',
    id: id as string,
    result: { action: 'accept', content: { name: 'Ada' } },
  })

  it(verifies('legacy-input', 'asks on the stream of the call and goes on with the answer'), async () => {
    const session = await openLegacySession(harness.port, { elicitation: {} })
    const stream = await openStream(harness.port, call, { 'Mcp-Session-Id': session })
    const question = await stream.next()
    expect(question).toMatchObject({ method: 'elicitation/create', params: { message: 'Name?' } })
    expect((await postLegacy(harness.port, answerTo(question?.id), { session })).status).toBe(202)
    expect(await stream.next()).toMatchObject({
      id: 3,
      result: { content: [{ text: expect.stringContaining('Ada') }] },
    })
    expect((await postLegacy(harness.port, answerTo(question?.id), { session })).status).toBe(400)
  })

  it(verifies('legacy-session', 'takes an answer only from the session that was asked'), async () => {
    const session = await openLegacySession(harness.port, { elicitation: {} })
    const stream = await openStream(harness.port, call, { 'Mcp-Session-Id': session })
    const question = await stream.next()
    const bobs = await openLegacySession(harness.port, { elicitation: {} }, { credential: 'bob-secret' })
    const options = [{ session, credential: 'bob-secret' }, { session: bobs, credential: 'bob-secret' }, {}]
    const answers = await Promise.all(options.map((option) => postLegacy(harness.port, answerTo(question?.id), option)))
    expect(answers.map(({ status }) => status)).toEqual([404, 400, 404])
    expect((await postLegacy(harness.port, answerTo(question?.id), { session })).status).toBe(202)
    expect(await stream.next()).toMatchObject({ id: 3 })
  })

  it('is told when the client cannot be asked', async () => {
    const session = await openLegacySession(harness.port)
    const answer = await postLegacy(harness.port, call, { session })
    expect(answer.json.result).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining('elicitation') }],
    })
  })
})

describe('initialize', () => {
  const initialize = (protocolVersion: string): JsonObject => ({
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: { protocolVersion, capabilities: {}, clientInfo: { name: 't', version: '1' } },
  })

  it.each([
    ['2025-11-25', '2025-11-25'],
    ['2025-06-18', '2025-06-18'],
    ['2024-11-05', '2025-11-25'],
    ['2099-01-01', '2025-11-25'],
  ])(
    verifies('legacy-initialize', 'to a client that asks for %s agrees on %s and opens a session'),
    async (asked, agreed) => {
      const answer = await postLegacy(harness.port, initialize(asked))
      expect(answer.json.result).toMatchObject({ protocolVersion: agreed, serverInfo: { name: 'mcpworks' } })
      expect(answer.headers['mcp-session-id']).toMatch(/^[\x21-\x7e]{43}$/)
    },
  )

  it('without what it needs is -32602 and opens none', async () => {
    const answer = await postLegacy(harness.port, { jsonrpc: '2.0', id: 1, method: 'initialize', params: {} })
    expect([answer.json.error, answer.headers['mcp-session-id']]).toEqual([
      expect.objectContaining({ code: -32602 }),
      undefined,
    ])
  })
})
