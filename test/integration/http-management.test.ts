import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { operations, type Operation } from '../../src/contract/index.ts'
import { verifies } from '../conformance/requirements.ts'
import { agent, sendRaw, startHarness, type Harness, type RawAnswer } from '../support/http-harness.ts'
import { createScriptedGateway, type ScriptedGateway } from '../support/scripted-gateway.ts'

let harness: Harness
let gateway: ScriptedGateway
beforeAll(async () => {
  gateway = createScriptedGateway()
  harness = await startHarness({ gateway: () => gateway, callers: { owner: agent('owner', 'demo', ['admin']) } })
})
afterAll(() => harness.close())
beforeEach(() => {
  gateway.requests.length = 0
  gateway.answer = () => ({ status: 'ok', call: 'c', result: { done: true } })
})

function manage(method: string, path: string, body?: unknown, headers: readonly string[] = []): Promise<RawAnswer> {
  const type = body === undefined ? [] : ['Content-Type', 'application/json']
  const text = typeof body === 'string' || body === undefined ? body : JSON.stringify(body)
  return sendRaw(harness.port, {
    method,
    path,
    headers: ['Authorization', 'Bearer owner', ...type, ...headers],
    ...(text === undefined ? {} : { body: text }),
  })
}

describe('the management API', () => {
  it(
    verifies(
      'management-pipeline',
      'puts every operation of the contract through the pipeline, in its namespace or the platform',
    ),
    async () => {
      // In a path an id or a name; what is good as the one is good as the other.
      const input: Record<string, string> = {
        namespace: 'demo',
        call: '01900000-0000-7000-8000-000000000000',
        approval: '01900000-0000-7000-8000-000000000000',
        application: 'app-abcdefghij12',
        tool: 'leads-count',
        period: '2026-11',
        level: '0',
        place: 'x001/000',
      }
      gateway.answer = () => ({ status: 'ok', call: 'c', result: { done: true, content: '' } })
      const reached: string[] = []
      for (const operation of Object.values<Operation>(operations)) {
        const path = operation.path.replaceAll(/\{([a-z]+)\}/gi, (_all, name: string) => input[name] ?? 'abcdefghij12')
        const answer = await manage(
          operation.method,
          path,
          operation.method === 'POST' ? (bodies[operation.name] ?? {}) : undefined,
        )
        const expected = operation.file === undefined ? { done: true, content: '' } : {}
        expect([operation.name, answer.status, answer.json]).toEqual([operation.name, 200, expected])
        const request = gateway.requests.at(-1)
        expect(request).toMatchObject({
          door: 'management',
          namespace: operation.path.includes('{namespace}') ? 'demo' : 'platform',
          effect: { kind: operation.effect, operation: operation.name },
        })
        reached.push(operation.name)
      }
      expect(reached).toEqual(Object.keys(operations))
    },
  )

  it('keeps the secret of an operation apart from the arguments, which are recorded', async () => {
    const path = '/api/v1/namespaces/demo/upstreams/tickets/secret'
    await manage('POST', path, { kind: 'header', secret: 'canary-secret' })
    const effect = gateway.requests.at(-1)?.effect
    expect(effect).toMatchObject({ arguments: { namespace: 'demo', server: 'tickets', kind: 'header' } })
    expect(JSON.stringify(effect)).not.toContain('canary-secret')
    expect(effect?.kind === 'manage' ? effect.secret?.reveal() : null).toBe('canary-secret')
  })

  it("joins path, query and body into one input with the contract's defaults", async () => {
    await manage('GET', '/api/v1/namespaces/demo/audit/records?limit=7&after=3')
    expect(gateway.requests[0]?.effect).toMatchObject({ arguments: { namespace: 'demo', limit: 7, after: 3 } })
    await manage('POST', '/api/v1/namespaces/demo/agents', { agent: 'analyst' })
    expect(gateway.requests[1]?.effect).toMatchObject({
      arguments: { namespace: 'demo', agent: 'analyst', groups: [] },
    })
  })

  it(verifies('management-validation', 'lists every problem with its path, and runs nothing'), async () => {
    const answer = await manage('POST', '/api/v1/namespaces/demo/agents', {
      agent: 'No Good',
      groups: [1],
      colour: 'red',
    })
    expect(answer.status).toBe(400)
    const { code, problems } = answer.json.error as { code: string; problems: { path: string }[] }
    expect([code, problems.map(({ path }) => path).sort()]).toEqual(['invalid_request', ['', 'agent', 'groups.0']])
    expect(gateway.requests).toEqual([])
  })

  it.each([
    [
      'a member that the path has already',
      'POST',
      '/api/v1/namespaces/demo/agents',
      { namespace: 'other', agent: 'x1' },
      400,
      'invalid_request',
    ],
    [
      'a query that the path has already',
      'GET',
      '/api/v1/namespaces/demo/agents?namespace=other',
      undefined,
      400,
      'invalid_request',
    ],
    [
      'a query name twice',
      'GET',
      '/api/v1/namespaces/demo/audit/records?limit=1&limit=2',
      undefined,
      400,
      'invalid_request',
    ],
    ['an unknown query name', 'GET', '/api/v1/namespaces/demo/agents?all=1', undefined, 400, 'invalid_request'],
    ['a body that is no object', 'POST', '/api/v1/namespaces/demo/agents', [1], 400, 'invalid_request'],
    ['a body that is no JSON', 'POST', '/api/v1/namespaces/demo/agents', '{', 400, 'invalid_json'],
    ['a member twice', 'POST', '/api/v1/namespaces/demo/agents', '{"agent":"ab","agent":"cd"}', 400, 'invalid_json'],
  ])('refuses %s', async (_what, method, path, body, status, code) => {
    const answer = await manage(method, path, body)
    expect([answer.status, (answer.json.error as { code: string }).code]).toEqual([status, code])
    expect(gateway.requests).toEqual([])
  })

  it('takes only application/json', async () => {
    const answer = await sendRaw(harness.port, {
      method: 'POST',
      path: '/api/v1/namespaces/demo/agents',
      headers: ['Authorization', 'Bearer owner', 'Content-Type', 'text/plain'],
      body: '{"agent":"ab"}',
    })
    expect([answer.status, gateway.requests]).toEqual([415, []])
  })

  it('answers refusals of the pipeline with their status, the call and what would change it', async () => {
    const path = '/api/v1/namespaces/demo/agents'
    gateway.answer = () => ({
      status: 'denied',
      call: 'c1',
      message: 'Agents never manage.',
      rules: ['builtin#agents-never-manage'],
      remedy: null,
    })
    expect(await manage('GET', path).then(({ status, json }) => [status, json])).toEqual([
      403,
      {
        error: {
          code: 'denied',
          message: 'Refused by policy: Agents never manage.',
          call: 'c1',
          rules: ['builtin#agents-never-manage'],
          remedy: null,
        },
      },
    ])
    gateway.answer = () => ({
      status: 'protocol-error',
      call: 'c2',
      rpcCode: -32602,
      message: 'That name is taken.',
      data: { code: 'already_exists' },
    })
    expect(await manage('GET', path).then(({ status, json }) => [status, json])).toEqual([
      409,
      { error: { code: 'already_exists', message: 'That name is taken.', call: 'c2' } },
    ])
    gateway.answer = () => ({
      status: 'unavailable',
      call: 'c3',
      code: 'audit_unavailable',
      message: 'The log is full.',
    })
    expect((await manage('GET', path)).status).toBe(503)
    gateway.answer = () => {
      throw new Error('canary')
    }
    const broken = await manage('GET', path)
    expect([broken.status, broken.text.includes('canary')]).toEqual([500, false])
  })
})

/** What an operation asks for beyond what is in its path. */
const bodies: Readonly<Record<string, object>> = {
  'agent.add': { agent: 'analyst' },
  'application.add': { title: 'A client', redirects: ['https://client.example/cb'] },
  'approval.link': { user: 'bert' },
  'binding.add': { match: { sub: 'system:serviceaccount:demo:analyst' } },
  'binding.try': { header: { alg: 'ES256' }, claims: { sub: 'system:serviceaccount:demo:analyst' } },
  'function.add': { files: [] },
  'namespace.close': { reason: 'a key was lost' },
  'audit.rotate-key': {},
  'platform.close': { reason: 'a key was lost' },
  'policy.activate': { policySet: `sha256:${'0'.repeat(64)}` },
  'hold.place': { reason: 'a case' },
  'hold.lift': { reason: 'closed' },
  'erasure.erase': { subject: 'ada', confirm: 'ada' },
  'recording.set': { level: 'metadata', bodyDays: 30 },
  'shadow.set': { policySet: `sha256:${'0'.repeat(64)}` },
  'audit.replay': { policySet: `sha256:${'0'.repeat(64)}`, sinceSeconds: 3600 },
  'quarantine.release': { comment: 'to look at it' },
  'policy.facts': { tool: 'leads-top' },
  'policy.template': { template: 'sender-constrained' },
  'policy.can': { agent: 'analyst', tool: 'leads-top' },
  'policy.test': { cases: [{ name: 'n', agent: 'analyst', tool: 'leads-top', expect: 'allow' }] },
  'state.apply': { files: [] },
  'upstream.add': { server: 'tracker', url: 'https://tracker.example/mcp' },
  'upstream.set-secret': { kind: 'header', secret: 'x' },
  'user.add': { user: 'ada' },
  'user.set-roles': { roles: [] },
}
