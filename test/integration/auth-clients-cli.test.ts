import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startCodeFlow, post } from '../support/code-flow.ts'
import { mcp, startTestApp, type TestApp } from '../support/running-app.ts'
import { mcpworks, type CommandResult } from '../support/server-process.ts'

let app: TestApp
beforeAll(async () => {
  app = await startTestApp()
  await app.apply('demo', { 'namespace.yaml': 'namespace: demo\nagents:\n  - name: robot\n' })
})
afterAll(() => app.close())

const cli = (...args: string[]): Promise<CommandResult> => mcpworks(['--data-directory', app.dataDirectory, ...args])

it('makes a client of an agent, whose tokens end with it', async () => {
  const made = await cli('client', 'create', 'robot', '-n', 'demo', '-l', 'nightly job', '--json')
  const { client, clientSecret } = JSON.parse(made.stdout) as { client: { id: string }; clientSecret: string }
  const basic = Buffer.from(`${client.id}:${clientSecret}`).toString('base64')
  const { url } = app.app
  const { json } = await post(
    `${url}/oauth/token`,
    { grant_type: 'client_credentials', resource: `${url}/mcp/demo` },
    { authorization: `Basic ${basic}` },
  )
  const list = async (): Promise<number> => (await mcp(url, String(json.access_token), 'demo', 'tools/list', {})).status
  expect(await list()).toBe(200)
  const listed = await cli('client', 'list', '-n', 'demo')
  expect(listed.stdout).toContain('nightly job')
  expect(listed.stdout).not.toContain(clientSecret)
  expect((await cli('client', 'remove', client.id, '-n', 'demo')).code).toBe(0)
  expect(await list()).toBe(401)
})

it('makes one without a secret from a public key, and takes no private one', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const [good, bad] = ['public.json', 'private.json'].map((name) => join(app.dataDirectory, name)) as [string, string]
  writeFileSync(good, JSON.stringify(publicKey.export({ format: 'jwk' })))
  writeFileSync(bad, JSON.stringify(privateKey.export({ format: 'jwk' })))
  const made = await cli('client', 'create', 'robot', '-n', 'demo', '-k', good)
  expect([made.code, made.stdout.trim()]).toEqual([0, expect.stringMatching(/^[a-z0-9]{12}$/)])
  const refused = await cli('client', 'create', 'robot', '-n', 'demo', '-k', bad)
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('public JWKs')])
})

it('adds an application, and ends with it what people let it do', async () => {
  const added = await cli('client', 'add', 'Our app', '-r', 'http://127.0.0.1:9/callback')
  const clientId = added.stdout.trim()
  expect((await cli('client', 'list')).stdout).toContain('Our app')
  const flow = await startCodeFlow(app, { clientId })
  const { json } = await flow.tokens()
  const list = async (): Promise<number> =>
    (await mcp(app.app.url, String(json.access_token), 'demo', 'tools/list', {})).status
  expect(await list()).toBe(200)
  expect((await cli('client', 'remove', clientId)).stdout).toContain('1 grants ended')
  expect([await list(), (await flow.refresh(String(json.refresh_token))).json.error]).toEqual([401, 'invalid_client'])
})

it('signs with a new key on demand, and takes tokens of the old one until they expire', async () => {
  const flow = await startCodeFlow(app)
  const before = await flow.tokens()
  expect((await cli('client', 'rotate-keys')).code).toBe(0)
  const after = await flow.refresh(String(before.json.refresh_token))
  const kidOf = (token: unknown): unknown =>
    (JSON.parse(Buffer.from(String(token).split('.')[0] ?? '', 'base64url').toString()) as { kid: string }).kid
  expect(kidOf(after.json.access_token)).not.toBe(kidOf(before.json.access_token))
  const { keys } = (await (await fetch(`${app.app.url}/oauth/jwks`)).json()) as { keys: unknown[] }
  expect(keys).toHaveLength(2)
  for (const { json } of [before, after])
    expect((await mcp(app.app.url, String(json.access_token), 'demo', 'tools/list', {})).status).toBe(200)
})
