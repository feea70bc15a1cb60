import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { operations, type Operation } from '../../src/contract/index.ts'
import { createGuardedFetch } from '../../src/egress/index.ts'
import type { CatalogueEntry, EntryKind } from '../../src/gateway/index.ts'
import {
  approvalRoutes,
  authorizationServerRoutes,
  signInRoutes,
  upstreamRoutes,
  type Route,
} from '../../src/http/index.ts'
import * as doors from '../../src/http/index.ts'
import { legacyMethods, modernMethods } from '../../src/http/mcp/methods.ts'
import { digestJson, isJsonObject, systemClock, type JsonObject } from '../../src/kernel/index.ts'
import { textOutcome } from '../support/echo-entries.ts'
import { sendRaw, type RawAnswer } from '../support/http-harness.ts'
import { callModern, postLegacy } from '../support/mcp-messages.ts'
import { requestOf } from '../support/operation-sample.ts'
import { asPerson, signedIn, type TestPerson } from '../support/people.ts'
import { startTestApp, type TestApp } from '../support/running-app.ts'

// I16: access rules that hold at one door and not at another. Callers who may nothing go to every door that there is.

const files = {
  'namespace.yaml': `namespace: demo
agents:
  - name: eve
  - name: ann
    groups: [all]
`,
  // What eve asks for is there for her to see, and no policy ever permits it.
  'policies/all.cedar': `
permit (principal in AgentGroup::"demo/all", action, resource in Namespace::"demo");
permit (principal == Agent::"demo/eve", action in [Action::"call", Action::"read", Action::"prompt"], resource in Namespace::"demo")
when { context.hour == 24 };`,
}

let app: TestApp
let port: number
let guest: TestPerson
let adminKey: string
const keys = { eve: '', ann: '' }
/** Effects outside the databases: what backends were asked, and what went out. */
const ran: string[] = []

function entry(kind: EntryKind, name: string, definition: JsonObject): CatalogueEntry {
  const definitionHash = digestJson(definition)
  const act = async () => {
    ran.push(`${kind} ${name}`)
    const contents = [{ uri: name, text: 'here' }]
    if (kind === 'tool') return textOutcome('done')
    const messages = [{ role: 'user', content: { type: 'text', text: 'here' } }]
    return { status: 'ok' as const, result: kind === 'prompt' ? { messages } : { contents } }
  }
  const inputSchema = kind === 'tool' ? { type: 'object' } : null
  const nothing = { outputSchema: null, codeHash: null, runtime: null }
  const own = { kind, namespace: 'demo', service: 'things', name, definition, definitionHash, inputSchema }
  return { ...own, ...nothing, backend: { act } }
}

beforeAll(async () => {
  const reached = createGuardedFetch()
  app = await startTestApp({
    entries: [
      entry('tool', 'lamp', { name: 'lamp', description: 'Turns the lamp on.', inputSchema: { type: 'object' } }),
      entry('resource', 'thing://one', { uri: 'thing://one', name: 'one' }),
      entry('resource-template', 'thing://{id}', { uriTemplate: 'thing://{id}', name: 'any' }),
      entry('prompt', 'greet', { name: 'greet', arguments: [{ name: 'who' }] }),
    ],
    guardedFetch: async (url, request, policy) => {
      ran.push(`fetch ${url}`)
      return reached(url, request, policy)
    },
  })
  port = Number(new URL(app.app.url).port)
  await app.apply('demo', files)
  await app.manage('demo', 'upstream.add', { namespace: 'demo', server: 'tracker', url: 'https://tracker.example/mcp' })
  for (const name of ['eve', 'ann'] as const) {
    const { text } = await app.app.registry.createKey(`demo/${name}`, {
      label: 'test',
      scopes: ['mcp', 'admin'],
      expiresAtMs: null,
    })
    keys[name] = text
  }
  guest = await signedIn(app, 'guest', [])
  const made = await app.app.registry.createKey('guest', { label: 'test', scopes: ['admin'], expiresAtMs: null })
  adminKey = made.text
})
afterAll(() => app.close())

/**
 * When credentials and sessions were last used, which is written for every caller, proofs that are good once, and what
 * calls before these used, which the server counts from its log every few seconds.
 */
const upkeep = new Set([
  'credential_uses',
  'sessions',
  'daily_usage',
  'used_assertions',
  'usage_counters',
  'usage_marks',
])

/** A digest of everything that is kept, by table. */
function kept(): Record<string, string> {
  const database = new DatabaseSync(join(app.dataDirectory, 'state.db'), { readOnly: true })
  try {
    const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").all()
    return Object.fromEntries(
      tables
        .map(({ name }) => String(name))
        .filter((name) => !upkeep.has(name))
        .map((name) => {
          const rows = database.prepare(`SELECT * FROM "${name}"`).all()
          const text = JSON.stringify(rows, (_key, value: unknown) =>
            typeof value === 'bigint' ? String(value) : value,
          )
          return [name, createHash('sha256').update(text).digest('hex')]
        }),
    )
  } finally {
    database.close()
  }
}

interface Decided {
  readonly call: string
  readonly effect: string
  readonly method: string
}

/** Decisions of a principal after those that there were, in order. */
async function decisions(namespace: string, principal: string, after: number): Promise<Decided[]> {
  const { records } = await app.manage(namespace, 'audit.tail', {
    namespace,
    principal,
    after,
    kind: 'decision',
    limit: 1000,
    reads: true,
  })
  return (records as JsonObject[]).map(({ call, record }) => {
    const { decision, mcp } = record as { decision: JsonObject; mcp: JsonObject }
    return { call: String(call), effect: String(decision.effect), method: String(mcp.method) }
  })
}

async function lastIndex(namespace: string): Promise<number> {
  return Number((await app.manage(namespace, 'audit.tail', { namespace, limit: 1, reads: true })).lastIndex)
}

/** The call id of a refusal, wherever the answer has it. */
function callOf({ json }: RawAnswer): string {
  const error = isJsonObject(json.error) ? json.error : {}
  const result = isJsonObject(json.result) && isJsonObject(json.result._meta) ? json.result._meta : {}
  const data = isJsonObject(error.data) ? error.data : {}
  return String(error.call ?? data.call ?? result['mcpworks/call'] ?? '')
}

describe('whoever may nothing', () => {
  const every = Object.values<Operation>(operations)
  const namespaceOf = ({ path }: Operation): string => (path.includes('{namespace}') ? 'demo' : 'platform')

  it.each([
    ['a user without a role, by key', () => adminKey, 'guest'],
    ['an agent', () => keys.eve, 'demo/eve'],
  ])('is refused every operation: %s', async (_who, key, principal) => {
    const after = { demo: await lastIndex('demo'), platform: await lastIndex('platform') }
    const before = kept()
    ran.length = 0
    const refused: string[] = []
    for (const operation of every) {
      const { method, path, body } = requestOf(operation)
      const type = body === null ? [] : ['Content-Type', 'application/json']
      const answer = await sendRaw(port, {
        method,
        path,
        headers: ['Authorization', `Bearer ${key()}`, ...type],
        ...(body === null ? {} : { body: JSON.stringify(body) }),
      })
      expect([operation.name, answer.status, answer.text]).toEqual([
        operation.name,
        403,
        expect.stringContaining('Refused by policy'),
      ])
      refused.push(callOf(answer))
    }
    expect(kept()).toEqual(before)
    expect(ran).toEqual([])
    for (const namespace of ['demo', 'platform'] as const) {
      const own = every.filter((operation) => namespaceOf(operation) === namespace)
      const found = await decisions(namespace, principal, after[namespace])
      expect(found.map(({ method, effect }) => [method, effect])).toEqual(own.map(({ name }) => [name, 'deny']))
      for (const { call } of found) expect(refused).toContain(call)
    }
  })

  it('is refused every operation: a person whom a session brought', async () => {
    const after = await lastIndex('demo')
    const before = kept()
    const own = every.filter((operation) => namespaceOf(operation) === 'demo')
    for (const operation of own) {
      const { method, path, body } = requestOf(operation)
      const answer = await asPerson(app, guest, method, path, body)
      expect([operation.name, answer.status]).toEqual([operation.name, 403])
    }
    expect(kept()).toEqual(before)
    const found = await decisions('demo', 'guest', after)
    expect(found.map(({ method, effect }) => [method, effect])).toEqual(own.map(({ name }) => [name, 'deny']))
  })

  const asked: Readonly<Record<string, JsonObject>> = {
    'tools/call': { name: 'lamp', arguments: {} },
    'resources/read': { uri: 'thing://one' },
    'prompts/get': { name: 'greet', arguments: {} },
    'completion/complete': { ref: { type: 'ref/prompt', name: 'greet' }, argument: { name: 'who', value: 'a' } },
    'logging/setLevel': { level: 'info' },
    'resources/subscribe': { uri: 'thing://one' },
    'resources/unsubscribe': { uri: 'thing://one' },
  }
  /** Methods that ask for nothing of anybody's: what there is to see is filtered by the same decision. */
  const withoutDecision = /^(?:.*\/list|ping|server\/discover|logging\/setLevel|resources\/(?:un)?subscribe)$/

  it.each([
    ['2026-07-28', modernMethods],
    ['2025-11-25', legacyMethods],
  ])('gets nothing by any method of %s', async (revision, methods) => {
    const after = await lastIndex('demo')
    const before = kept()
    ran.length = 0
    const send = (method: string, credential: string): Promise<RawAnswer> => {
      const params = asked[method] ?? {}
      return revision === '2026-07-28'
        ? callModern(port, method, params, { credential })
        : postLegacy(port, { jsonrpc: '2.0', id: 1, method, params }, { credential })
    }
    const deciding = Object.keys(methods).filter((method) => !withoutDecision.test(method))
    for (const method of Object.keys(methods)) {
      const { text } = await send(method, keys.eve)
      if (deciding.includes(method))
        expect([method, text]).toEqual([method, expect.stringContaining('Refused by policy')])
    }
    expect(ran).toEqual([])
    expect(kept()).toEqual(before)
    const found = await decisions('demo', 'demo/eve', after)
    expect(found.map(({ method, effect }) => [method, effect])).toEqual(deciding.map((method) => [method, 'deny']))
    expect(deciding.length).toBe(4)

    // The twin: who may, does, by the same requests.
    for (const method of deciding) await send(method, keys.ann)
    expect(ran).toEqual(['tool lamp', 'resource thing://one', 'prompt greet', 'prompt greet'])
  })

  it('gets a record too for what it may not know of', async () => {
    const after = await lastIndex('demo')
    ran.length = 0
    for (const [method, params] of [
      ['tools/call', { name: 'no-such', arguments: {} }],
      ['resources/read', { uri: 'other://thing' }],
      ['prompts/get', { name: 'none', arguments: {} }],
    ] as const)
      expect((await callModern(port, method, params, { credential: keys.eve })).json.error).toBeDefined()
    expect(ran).toEqual([])
    expect((await decisions('demo', 'demo/eve', after)).map(({ effect }) => effect)).toEqual(['deny', 'deny', 'deny'])
  })

  /** Pages and endpoints that are mounted beside the table of routes. */
  const mounted: readonly Route[] = [
    ...signInRoutes({} as never, systemClock),
    ...approvalRoutes({} as never),
    ...upstreamRoutes({} as never),
    ...authorizationServerRoutes({} as never),
  ]

  it('goes by all parts that can be mounted', () => {
    const driven = ['approvalRoutes', 'authorizationServerRoutes', 'signInRoutes', 'upstreamRoutes']
    expect(
      Object.keys(doors)
        .filter((name) => name.endsWith('Routes'))
        .sort(),
    ).toEqual(driven)
  })

  /** What people may do with what is theirs, as the exceptions of the call graph say. */
  const theirOwn = /^\/(?:account|sign-in|sign-out)/

  it.each([
    ['a stranger', (): TestPerson | null => null],
    ['a person without a role', (): TestPerson | null => guest],
  ])('changes nothing by any page that is not about itself: %s', async (_who, person) => {
    const before = kept()
    ran.length = 0
    const host = `localhost:${port}`
    for (const { method, path } of mounted) {
      if (person() !== null && theirOwn.test(path)) continue
      const filled = path
        .replaceAll('{namespace}', 'demo')
        .replaceAll('{server}', 'tracker')
        .replaceAll(/\{\w+\}/g, 'x')
      const { cookie = '', csrf = '' } = person() ?? {}
      const answer = await sendRaw(port, {
        method,
        path: filled,
        headers: [
          'Host',
          host,
          'Origin',
          `http://${host}`,
          'Sec-Fetch-Site',
          'same-origin',
          'Cookie',
          cookie,
          'Content-Type',
          'application/x-www-form-urlencoded',
        ],
        ...(method === 'GET'
          ? {}
          : { body: new URLSearchParams({ csrf, decision: 'allow', agent: 'demo/eve' }).toString() }),
      })
      expect([path, answer.status < 500]).toEqual([path, true])
    }
    expect(kept()).toEqual(before)
    expect(ran).toEqual([])
  })

  it('is refused the way to a third party by policy, on the record', async () => {
    const after = await lastIndex('demo')
    ran.length = 0
    const path = '/oauth/upstream/connect/demo/tracker'
    const host = `localhost:${port}`
    const answer = await sendRaw(port, {
      method: 'POST',
      path,
      headers: [
        'Host',
        host,
        'Origin',
        `http://${host}`,
        'Cookie',
        guest.cookie,
        'Content-Type',
        'application/x-www-form-urlencoded',
      ],
      body: new URLSearchParams({ csrf: guest.csrf }).toString(),
    })
    expect(answer.status).toBe(403)
    expect(ran).toEqual([])
    const found = await decisions('demo', 'guest', after)
    expect(found.map(({ method, effect }) => [method, effect])).toEqual([
      ['upstream.show', 'deny'],
      ['upstream.connect', 'deny'],
    ])
  })
})

describe('the harness', () => {
  it('sees what those who may change', async () => {
    const before = kept()
    await app.manage('demo', 'agent.add', { namespace: 'demo', agent: 'new-one' })
    expect(
      Object.entries(kept())
        .filter(([table, digest]) => before[table] !== digest)
        .map(([table]) => table),
    ).toEqual(['principals'])
  })
})
