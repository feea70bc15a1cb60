import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { operations, type Operation } from '../../src/contract/index.ts'
import type { JsonObject } from '../../src/kernel/index.ts'
import { asPerson, signedIn, type TestPerson } from '../support/people.ts'
import { startTestApp, type TestApp } from '../support/running-app.ts'

const roles = ['owner', 'admin', 'author', 'approver', 'auditor', 'viewer'] as const

/** Rows of the table in docs/identity.md: a pattern, and what each role may. */
const rows = readFileSync('docs/identity.md', 'utf8')
  .split('\n')
  .filter((line) => /^\| (`|anything)/.test(line))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, pattern = '', ...cells]) => ({ pattern: pattern.replaceAll('`', ''), cells }))

function mayBe(operation: string, role: (typeof roles)[number]): boolean {
  const row = rows.find(
    ({ pattern }) =>
      pattern === 'anything else' || new RegExp(`^${pattern.replaceAll('*', '[a-z-]+')}$`).test(operation),
  )
  return row?.cells[roles.indexOf(role)] === 'yes'
}

/** What makes each request well-formed and without effect where it is allowed. */
const inputs: Record<string, JsonObject> = {
  'state.apply': { files: [{ path: 'namespace.yaml', text: 'namespace: demo\n' }], dryRun: true },
  'approval.link': { user: 'nobody' },
  'agent.add': { agent: 'Not a name' },
  'key.create': {},
  'function.add': { files: [] },
  'user.add': { user: 'operator', roles: [] },
  'user.set-roles': { roles: [] },
}

function requestOf(operation: Operation, namespace: string): { path: string; body: JsonObject | null } {
  const values: Record<string, string> = {
    namespace,
    agent: 'nobody',
    key: 'aaaaaaaaaaaa',
    tool: 'none-none',
    service: 'none',
    call: '00000000-0000-0000-0000-000000000000',
    approval: '00000000-0000-0000-0000-000000000000',
    user: 'nobody',
  }
  const path = operation.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => values[name] ?? 'nobody')
  return { path, body: operation.method === 'POST' ? (inputs[operation.name] ?? {}) : null }
}

let test: TestApp
const people = new Map<string, TestPerson>()
beforeAll(async () => {
  test = await startTestApp()
  await test.apply('demo', { 'namespace.yaml': 'namespace: demo\nagents:\n  - name: bot\n' })
  await test.apply('other', { 'namespace.yaml': 'namespace: other\n' })
  for (const role of roles) people.set(role, await signedIn(test, `${role}-anna`, [role]))
  for (const role of roles) people.set(`demo/${role}`, await signedIn(test, `demo-${role}`, [`demo/${role}`]))
  people.set('none', await signedIn(test, 'nobody-special', []))
})
afterAll(() => test.close())

function person(name: string): TestPerson {
  const found = people.get(name)
  if (found === undefined) throw new Error(`no ${name}`)
  return found
}

/** Whether policy let the person do it. What it refuses is answered before anything else is looked at. */
async function allowed(operation: Operation, who: string, namespace = 'demo'): Promise<boolean> {
  const { path, body } = requestOf(operation, namespace)
  const answer = await asPerson(test, person(who), operation.method, path, body)
  const error = answer.json.error as { message?: string } | undefined
  if (operation.input.safeParse({ ...body, ...parametersOf(operation, path) }).success)
    return !(answer.status === 403 && error?.message?.startsWith('Refused by policy'))
  // Not well-formed for an operation that this file has no input for: the pipeline is asked itself.
  const direct = await test.app.gateway.perform(
    {
      caller: {
        principal: test.app.registry.describe(test.app.registry.findPrincipal(person(who).id) ?? fail()),
        authentication: {
          method: 'session',
          credentialId: person(who).sessionId,
          senderConstrained: false,
          expiresAtMs: null,
          scopes: ['admin'],
        },
        client: { address: '127.0.0.1', claimedName: null },
      },
      namespace: operation.path.includes('{namespace}') ? namespace : 'platform',
      door: 'management',
      effect: { kind: operation.effect, operation: operation.name, arguments: { malformed: true } },
      facts: { method: operation.name, protocolVersion: null, requestId: null, trace: null, clientCapabilities: {} },
    },
    { signal: new AbortController().signal, log: () => {}, progress: () => {} },
  )
  return direct.status !== 'denied'
}

function fail(): never {
  throw new Error('there is no such user')
}

function parametersOf(operation: Operation, path: string): JsonObject {
  const names = operation.path.split('/')
  return Object.fromEntries(
    path.split('/').flatMap((part, at) => (names[at]?.startsWith('{') ? [[names[at].slice(1, -1), part]] : [])),
  )
}

describe('the table of roles in docs/identity.md', () => {
  it('has a row for everything and a column for each role', () => {
    expect(rows.length).toBeGreaterThan(10)
    expect(rows.at(-1)?.pattern).toBe('anything else')
  })

  it.each(roles)('is what policy says to %s, for every operation over HTTP', async (role) => {
    const wrong: string[] = []
    for (const operation of Object.values<Operation>(operations))
      if ((await allowed(operation, role)) !== mayBe(operation.name, role)) wrong.push(operation.name)
    expect(wrong).toEqual([])
  })

  it('gives nothing to a user without a role', async () => {
    for (const operation of Object.values<Operation>(operations))
      expect([operation.name, await allowed(operation, 'none')]).toEqual([operation.name, false])
  })
})

describe('a role in one namespace', () => {
  it.each(roles)('%s: is that role there, and nothing elsewhere', async (role) => {
    const wrong: string[] = []
    for (const operation of Object.values<Operation>(operations)) {
      const isLocal = operation.path.includes('{namespace}')
      if ((await allowed(operation, `demo/${role}`)) !== (isLocal && mayBe(operation.name, role)))
        wrong.push(operation.name)
      if (isLocal && (await allowed(operation, `demo/${role}`, 'other'))) wrong.push(`${operation.name} in other`)
    }
    expect(wrong).toEqual([])
  })
})

describe('giving roles', () => {
  const set = (who: string, user: string, given: string[]) =>
    asPerson(test, person(who), 'POST', `/api/v1/users/${user}/roles`, { roles: given })

  it('is for owners where the role is owner, and for admins else', async () => {
    await test.app.registry.addUser('carl', [])
    expect((await set('admin', 'carl', ['admin', 'viewer', 'demo/author', 'demo/finance'])).status).toBe(200)
    expect((await set('admin', 'carl', ['owner'])).json).toMatchObject({ error: { code: 'denied' } })
    expect((await set('admin', 'admin-anna', ['admin', 'owner'])).status).toBe(403)
    expect((await set('admin', 'carl', ['demo/owner'])).status).toBe(403)
    expect(test.app.registry.findPrincipal('carl')?.groups).toEqual(['admin', 'demo/author', 'demo/finance', 'viewer'])
    expect((await set('owner', 'carl', ['owner'])).status).toBe(200)
    expect((await set('admin', 'carl', [])).status).toBe(403)
    for (const verb of ['disable', 'link'])
      expect((await asPerson(test, person('admin'), 'POST', `/api/v1/users/carl/${verb}`, {})).status).toBe(403)
    expect((await asPerson(test, person('admin'), 'DELETE', '/api/v1/users/carl')).status).toBe(403)
    const made = await asPerson(test, person('admin'), 'POST', '/api/v1/users', { user: 'dora', roles: ['owner'] })
    expect(made.status).toBe(403)
    expect(test.app.registry.findPrincipal('dora')).toBeNull()
    expect((await set('owner', 'carl', [])).status).toBe(200)
  })

  it('stays refused where the policies of a namespace permit it to an author', async () => {
    const wide =
      'permit (principal == User::"author-anna", action == Action::"manage", resource in Namespace::"other");'
    await test.apply('other', { 'namespace.yaml': 'namespace: other\n', 'policies/wide.cedar': wide })
    expect(await allowed(operations['agent.add'], 'author', 'other')).toBe(false)
    expect(await allowed(operations['key.create'], 'author', 'other')).toBe(false)
    // What is not about who may enter, policies can permit: the twin.
    expect(await allowed(operations['key.list'], 'author', 'other')).toBe(true)
  })

  it('counts from the next request on', async () => {
    const eve = await signedIn(test, 'eve', [])
    const list = () => asPerson(test, eve, 'GET', '/api/v1/namespaces')
    expect((await list()).status).toBe(403)
    await set('owner', 'eve', ['viewer'])
    expect((await list()).status).toBe(200)
    await set('owner', 'eve', [])
    expect((await list()).status).toBe(403)
  })
})

describe('users', () => {
  const act = (who: string, method: string, path: string) =>
    asPerson(test, person(who), method, path, method === 'POST' ? {} : null)

  it('are out with the request after they are disabled, and their sessions do not come back', async () => {
    const finn = await signedIn(test, 'finn', ['viewer'])
    expect((await asPerson(test, finn, 'GET', '/api/v1/namespaces')).status).toBe(200)
    expect((await act('owner', 'POST', '/api/v1/users/finn/disable')).status).toBe(200)
    expect((await asPerson(test, finn, 'GET', '/api/v1/namespaces')).status).toBe(401)
    expect((await act('owner', 'POST', '/api/v1/users/finn/enable')).status).toBe(200)
    expect((await asPerson(test, finn, 'GET', '/api/v1/namespaces')).status).toBe(401)
    const again = await signedIn(test, 'finn', [])
    expect((await asPerson(test, again, 'GET', '/api/v1/namespaces')).status).toBe(200)
    expect((await act('owner', 'DELETE', '/api/v1/users/finn')).status).toBe(200)
    expect((await asPerson(test, again, 'GET', '/api/v1/namespaces')).status).toBe(401)
    expect((await act('owner', 'POST', '/api/v1/users/finn/enable')).status).toBe(404)
  })

  it('keep their last owner, also where two take the role from each other at once', async () => {
    const gina = await signedIn(test, 'gina', ['owner'])
    const [one, two] = await Promise.all([
      asPerson(test, gina, 'POST', '/api/v1/users/owner-anna/roles', { roles: [] }),
      asPerson(test, person('owner'), 'POST', '/api/v1/users/gina/roles', { roles: [] }),
    ])
    expect([one.status, two.status].sort()).toEqual([200, 400].sort())
    const left = one.status === 200 ? gina : person('owner')
    for (const verb of ['disable']) {
      const refused = await asPerson(test, left, 'POST', `/api/v1/users/${left.id}/${verb}`, {})
      expect(refused.json).toMatchObject({ error: { message: expect.stringContaining('is the last owner') } })
    }
    expect((await asPerson(test, left, 'DELETE', `/api/v1/users/${left.id}`)).status).toBe(400)
    expect((await asPerson(test, left, 'POST', '/api/v1/users/operator/disable', {})).status).toBe(400)
    const other = left.id === 'gina' ? 'owner-anna' : 'gina'
    expect((await asPerson(test, left, 'POST', `/api/v1/users/${other}/roles`, { roles: ['owner'] })).status).toBe(200)
    expect((await asPerson(test, left, 'POST', `/api/v1/users/${left.id}/roles`, { roles: ['viewer'] })).status).toBe(
      200,
    )
    await test.manage('platform', 'user.set-roles', { user: 'owner-anna', roles: ['owner'] })
  })
})
