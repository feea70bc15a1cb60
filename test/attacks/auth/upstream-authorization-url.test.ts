/** I3 (mcp-remote): a hostile server's metadata names where a person is sent, and I15: addresses that nobody may reach. */
import type { ServerResponse } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { discoverUpstream, type DiscoveryPorts } from '../../../src/auth/upstream/discover-upstream.ts'
import { createGuardedFetch, createTargetCheck, type ResolveName } from '../../../src/egress/index.ts'
import type { JsonObject } from '../../../src/kernel/index.ts'
import { startUpstreamServer, type UpstreamServer } from '../../support/upstream-server.ts'

/** Server and authorization server in one, whose metadata says what a test wants. */
let hostile: UpstreamServer
let metadata: JsonObject
let resource: JsonObject

beforeAll(async () => {
  hostile = await startUpstreamServer()
  const json = (value: () => JsonObject) => (_: unknown, response: ServerResponse) =>
    void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value()))
  hostile.answer(
    '/.well-known/oauth-protected-resource/mcp',
    json(() => resource),
  )
  hostile.answer(
    '/.well-known/oauth-authorization-server',
    json(() => metadata),
  )
})
afterAll(() => hostile.close())
beforeEach(() => {
  resource = { resource: hostile.url, authorization_servers: [hostile.origin] }
  metadata = {
    issuer: hostile.origin,
    authorization_endpoint: `${hostile.origin}/authorize`,
    token_endpoint: `${hostile.origin}/token`,
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
  }
})

const names: ResolveName = async (hostname) => {
  if (hostname === 'inside.example') return [{ address: '10.0.0.8', family: 4 }]
  if (hostname === 'rebinding.example') {
    return [
      { address: '1.1.1.1', family: 4 },
      { address: '169.254.169.254', family: 4 },
    ]
  }
  return [{ address: '1.1.1.1', family: 4 }]
}
const ports: DiscoveryPorts = {
  fetch: createGuardedFetch(),
  checkTarget: createTargetCheck(names),
  allow: { networks: ['127.0.0.1/32'] },
}
const discover = (expected: string | null = null) => discoverUpstream(hostile.url, expected, ports)

describe('the authorization endpoint of a third party', () => {
  it.each([
    'https://login.example/authorize',
    'https://login.example:8443/a/b?tenant=x&prompt=login',
    'https://1.1.1.1/authorize',
  ])('is taken where it is honest: %s', async (url) => {
    metadata.authorization_endpoint = url
    expect(await discover()).toMatchObject({ ok: true, server: { authorizationEndpoint: url } })
  })

  it.each([
    ['javascript', 'alert(1)'].join(':'),
    'file:///etc/passwd',
    'data:text/html,x',
    'vscode://settings',
    'http://login.example/authorize',
    'https://login.example/$(touch /tmp/x)',
    'https://login.example/$(id)',
    'https://login.example/`id`',
    'https://login.example/;id',
    'https://login.example/|id',
    "https://login.example/'id'",
    'https://login.example/"id"',
    'https://login.example/<script>',
    '-https://login.example/',
    '--gpu-launcher=calc',
    'https://user:password@login.example/',
    'https://login.example@evil.example/',
    'https://login.example\\@evil.example/',
    'https://login.example/\r\nset-cookie: a=b',
    'https://login.example/\n',
    ' https://login.example/',
    'https://login.example/\u202ealmoc',
    'https://login.example/#fragment',
    'https://lоgin.example/authorize',
    'https://xn--lgin-7qa.example/authorize',
    'https:///authorize',
    'https://',
    '',
    `https://login.example/${'a'.repeat(3000)}`,
    42,
    [['https://login.example/']],
    { href: 'https://login.example/' },
  ])('is refused as %j, and nothing of it is repeated', async (url) => {
    metadata.authorization_endpoint = url as never
    const found = await discover()
    expect(found).toMatchObject({ ok: false, mayPass: false })
    const sentence = found.ok ? '' : found.problem
    expect(sentence).toMatch(/^the authorization endpoint [A-Za-z0-9 ]+$/)
  })

  it.each([
    'https://10.0.0.1/',
    'https://169.254.169.254/latest/',
    'https://2130706434/',
    'https://[::ffff:10.0.0.1]/',
    'https://[64:ff9b::a00:1]/',
    'https://inside.example/authorize',
    'https://rebinding.example/authorize',
  ])('is refused where it leads inside: %s', async (url) => {
    metadata.authorization_endpoint = url
    expect(await discover()).toMatchObject({
      ok: false,
      problem: expect.stringContaining('leads where nobody may be sent'),
    })
  })

  it('may be in punycode where the operator typed that name', async () => {
    resource = { resource: hostile.url, authorization_servers: ['https://xn--bcher-kva.example'] }
    expect(await discover()).toMatchObject({ ok: false, problem: expect.stringContaining('no https URL') })
    // The operator's own word: refused only because nothing answers there in a test.
    expect(await discover('https://xn--bcher-kva.example')).toMatchObject({
      ok: false,
      problem: expect.stringContaining('cannot be had'),
    })
  })

  it.each(['token_endpoint', 'registration_endpoint', 'revocation_endpoint'])('is no worse than %s', async (name) => {
    metadata[name] = 'https://user@login.example/$(id)'
    expect(await discover()).toMatchObject({ ok: false })
    metadata[name] = `${hostile.origin}/elsewhere`
    expect(await discover()).toMatchObject({ ok: true })
  })
})

describe('metadata of a third party', () => {
  it('is refused from an authorization server without PKCE', async () => {
    metadata.code_challenge_methods_supported = ['plain']
    expect(await discover()).toMatchObject({ ok: false, problem: expect.stringContaining('PKCE') })
  })

  it.each(['/', '/other', 'x'])('is refused of another issuer, by a suffix %j too', async (suffix) => {
    metadata.issuer = `${hostile.origin}${suffix}`
    expect(await discover()).toMatchObject({ ok: false, problem: expect.stringContaining('another issuer') })
  })

  it('is refused of another resource, and where the issuer is not the one that was named', async () => {
    resource.resource = 'https://bank.example/mcp'
    expect(await discover()).toMatchObject({ ok: false, problem: expect.stringContaining('another resource') })
    resource.resource = hostile.url
    expect(await discover('https://login.example')).toMatchObject({
      ok: false,
      problem: expect.stringContaining('does not name'),
    })
    expect(await discover(hostile.origin)).toMatchObject({ ok: true })
  })

  it('is refused where several issuers are named and nobody chose', async () => {
    resource.authorization_servers = [hostile.origin, 'https://evil.example']
    expect(await discover()).toMatchObject({ ok: false, problem: expect.stringContaining('several') })
    expect(await discover(hostile.origin)).toMatchObject({ ok: true })
  })
})
