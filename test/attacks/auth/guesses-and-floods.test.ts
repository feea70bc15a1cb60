import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { JsonObject } from '../../../src/kernel/index.ts'
import { echoEntry } from '../../support/echo-entries.ts'
import { gatedEntry } from '../../support/gated-entry.ts'
import { sendRaw, type RawAnswer } from '../../support/http-harness.ts'
import { callModern, modernRequest } from '../../support/mcp-messages.ts'
import { startTestApp, type TestApp } from '../../support/running-app.ts'

// Authentication gaps, first of the breach categories: guesses are slowed, floods are refused before they cost much,
// and neither can be used to keep an honest agent out. Requests say by X-Forwarded-For where they come from, and the
// server takes that from loopback, as from a proxy in front.

const limits = {
  'http.trustedProxies': '127.0.0.1',
  'auth.limits.failuresPerMinute': '5',
  'auth.limits.looksPerSecond': '2',
  'auth.limits.maxSlowSeconds': '60',
  'auth.limits.keyFailuresPerMinute': '8',
  'auth.limits.requestsPerMinute': '40',
}

const files = {
  'namespace.yaml': 'namespace: demo\nagents:\n  - name: honest\n  - name: busy\n',
  'policies/demo.cedar': 'permit (principal, action == Action::"call", resource);',
}

let test: TestApp
let port: number
let key: string
let addresses = 0

async function begin(settings: Record<string, string>): Promise<void> {
  test = await startTestApp({ entries: [echoEntry()], settings })
  await test.apply('demo', files)
  port = Number(new URL(test.app.url).port)
  key = await test.key('demo', 'honest')
}

/** An address that nothing has come from yet. */
const newAddress = (): string => `203.0.${(addresses += 1) >> 8}.${addresses & 255}`
const guess = (id = 'abcdefghijkl'): string => `mcpw_${id}_${'g'.repeat(43)}`
const idOf = (apiKey: string): string => apiKey.split('_')[1] ?? ''

function list(credential: string | null, address: string, headers: Record<string, string> = {}): Promise<RawAnswer> {
  const request = modernRequest('tools/list', {}, credential === null ? {} : { credential })
  const own = credential === null ? withoutAuthorization(request.headers) : request.headers
  const all = [...own, 'X-Forwarded-For', address, ...Object.entries(headers).flat()]
  return sendRaw(port, { method: 'POST', path: request.path, headers: all, body: request.body })
}

function withoutAuthorization(headers: readonly string[]): string[] {
  const at = headers.indexOf('Authorization')
  return headers.filter((_, index) => index !== at && index !== at + 1)
}

async function statuses(times: number, send: () => Promise<RawAnswer>): Promise<number[]> {
  const all: number[] = []
  for (let index = 0; index < times; index += 1) all.push((await send()).status)
  return all
}

describe('with limits', () => {
  beforeAll(() => begin(limits))
  afterAll(() => test.close())

  it('guesses from one address are answered 429 after a few, with when to come again', async () => {
    const address = newAddress()
    expect(await statuses(5, () => list(guess(), address))).toEqual([401, 401, 401, 401, 401])
    const slowed = await list(guess(), address)
    expect(slowed.status).toBe(429)
    expect(slowed.headers['retry-after']).toBe('1')
    expect(slowed.json).toMatchObject({ error: { code: 'rate_limited', retryAfterSeconds: 1 } })
  })

  it('a guess is not told from a credential that was not looked at', async () => {
    const address = newAddress()
    await statuses(12, () => list(guess(), address))
    const answers = [await list(guess(), address), await list(guess(idOf(key)), address)]
    expect(answers.map(({ status }) => status)).toEqual([429, 429])
    expect(Object.keys(answers[0]?.json.error as JsonObject)).toEqual(Object.keys(answers[1]?.json.error as JsonObject))
  })

  it('a good credential of another address is not slowed by them', async () => {
    const stranger = newAddress()
    await statuses(20, () => list(guess(), stranger))
    expect((await list(key, newAddress())).status).toBe(200)
  })

  it('a good credential that worked at the same address goes on working: it is one network, not one program', async () => {
    const shared = newAddress()
    await list(guess(), shared)
    expect((await list(key, shared)).status).toBe(200)
    expect((await statuses(10, () => list(guess(), shared))).at(-1)).toBe(429)
    expect(await statuses(5, () => list(key, shared))).toEqual([200, 200, 200, 200, 200])
  })

  it('the id of a key is no means to lock it: wrong secrets from many addresses never keep the right one out', async () => {
    const answers: number[] = []
    for (let index = 0; index < 12; index += 1) answers.push((await list(guess(idOf(key)), newAddress())).status)
    expect(answers.slice(0, 8)).toEqual(Array.from({ length: 8 }, () => 401))
    expect(answers.slice(8)).toEqual([429, 429, 429, 429])
    expect((await list(key, newAddress())).status).toBe(200)
  })

  it('a flood from one address is refused whatever it presents, and another address notices nothing', async () => {
    const address = newAddress()
    const answers = await statuses(45, () => list(null, address))
    expect(answers.slice(0, 40)).toEqual(Array.from({ length: 40 }, () => 401))
    expect(answers.slice(40)).toEqual([429, 429, 429, 429, 429])
    expect((await list(key, newAddress())).status).toBe(200)
  })

  it('a flood from one IPv6 network is one flood', async () => {
    const answers = new Set<number>()
    for (let index = 0; index < 45; index += 1) answers.add((await list(null, `2001:db8:5:5::${index + 1}`)).status)
    expect(answers).toEqual(new Set([401, 429]))
    expect((await list(null, '2001:db8:5:6::1')).status).toBe(401)
  })

  it('health is told to whoever asks, so that a flood does not look like an outage', async () => {
    const address = newAddress()
    const health = () => sendRaw(port, { path: '/healthz', headers: ['X-Forwarded-For', address] })
    expect(new Set(await statuses(60, health))).toEqual(new Set([200]))
  })
})

describe('people behind a trusted proxy', () => {
  beforeAll(() => begin(limits))
  afterAll(() => test.close())

  it('do not wait for the wrong passwords of somebody else behind it', async () => {
    const host = `localhost:${port}`
    const page = await sendRaw(port, { path: '/sign-in', headers: ['Host', host, 'X-Forwarded-For', newAddress()] })
    const csrf = /name="csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? ''
    const cookie = [page.headers['set-cookie']].flat()[0]?.split(';', 1)[0] ?? ''
    let names = 0
    const attempt = (address: string) => {
      const form = new URLSearchParams({ csrf, name: `user-${(names += 1)}`, password: 'a wrong password' })
      const headers = ['Host', host, 'Origin', `http://${host}`, 'Cookie', cookie, 'X-Forwarded-For', address]
      const type = ['Content-Type', 'application/x-www-form-urlencoded']
      return sendRaw(port, {
        method: 'POST',
        path: '/sign-in/password',
        headers: [...headers, ...type],
        body: form.toString(),
      })
    }
    const guesser = newAddress()
    expect(new Set(await statuses(20, () => attempt(guesser)))).toEqual(new Set([401]))
    expect((await attempt(guesser)).status).toBe(429)
    expect((await attempt(newAddress())).status).toBe(401)
  })
})

describe('with limits and no trusted proxy', () => {
  beforeAll(() => begin({ ...limits, 'http.trustedProxies': '' }))
  afterAll(() => test.close())

  it('forwarding headers do not give a flood new addresses', async () => {
    const answers = await statuses(45, () =>
      list(guess(), newAddress(), { Forwarded: `for=${newAddress()}`, 'X-Real-IP': newAddress() }),
    )
    expect(answers.filter((status) => status === 401).length).toBeLessThanOrEqual(7)
    expect(answers.at(-1)).toBe(429)
  })
})

describe('without limits that matter', () => {
  beforeAll(() =>
    begin({ ...limits, 'auth.limits.failuresPerMinute': '100000', 'auth.limits.requestsPerMinute': '100000' }),
  )
  afterAll(() => test.close())

  it('every guess is looked at: the control', async () => {
    const address = newAddress()
    expect(new Set(await statuses(50, () => list(guess(), address)))).toEqual(new Set([401, 429]))
    expect((await statuses(50, () => list('no key at all', address))).every((status) => status === 401)).toBe(true)
  })
})

describe('quotas of calls', () => {
  let gate: ReturnType<typeof gatedEntry>
  beforeEach(async () => {
    gate = gatedEntry('gate-wait')
    test = await startTestApp({
      entries: [gate.entry, echoEntry()],
      settings: {
        'auth.limits.agentConcurrentCalls': '2',
        'auth.limits.agentCallsPerDay': '4',
      },
    })
    await test.apply('demo', files)
    port = Number(new URL(test.app.url).port)
    key = await test.key('demo', 'busy')
  })
  afterEach(() => test.close())

  const call = (credential: string, tool: string): Promise<RawAnswer> =>
    callModern(port, 'tools/call', { name: tool, arguments: {} }, { credential })

  it('refuse one call too many under way with 429 and when to come again, and take it when a place is free', async () => {
    const first = gate.begun()
    const one = call(key, 'gate-wait')
    await first
    const second = gate.begun()
    const two = call(key, 'gate-wait')
    await second
    const refused = await call(key, 'echo')
    expect(refused.status).toBe(429)
    expect(refused.headers['retry-after']).toBe('1')
    expect(refused.json).toMatchObject({ error: { code: -31001, data: { code: 'rate_limited', retryable: true } } })
    const other = await test.key('demo', 'honest')
    expect((await call(other, 'echo')).status).toBe(200)
    gate.release()
    await Promise.all([one, two])
    expect((await call(key, 'echo')).status).toBe(200)
  })

  it('refuse the call that is one too many in a day, for every key of the agent, and nobody else', async () => {
    const second = await test.key('demo', 'busy')
    for (const credential of [key, second, key, second]) expect((await call(credential, 'echo')).status).toBe(200)
    const refused = await call(second, 'echo')
    expect(refused.status).toBe(429)
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
    expect((await callModern(port, 'tools/list', {}, { credential: key })).status).toBe(200)
    expect((await call(await test.key('demo', 'honest'), 'echo')).status).toBe(200)
  })
})
