import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type ConnectionOptions } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createWebServer } from '../../src/http/tls/create-web-server.ts'
import { tlsConfigSchema } from '../../src/http/tls/tls-config.ts'
import { HttpConfig } from '../../src/http/index.ts'
import { createCertificateAuthority, type IssuedCertificate } from '../support/certificate-authority.ts'
import { modernRequest } from '../support/mcp-messages.ts'
import { startTokenDoor, type TokenDoor } from '../support/token-door.ts'

const authority = createCertificateAuthority()
const otherAuthority = createCertificateAuthority()
const server = authority.issue(['mcp.example'])
const client = authority.issue(['client.example'])
const stranger = otherAuthority.issue(['client.example'])

const directory = mkdtempSync(join(tmpdir(), 'mcpworks-test-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))
const file = (name: string, text: string): string => {
  const path = join(directory, name)
  writeFileSync(path, text)
  return path
}

function start(clientCertificates: 'any' | 'authority' | 'off'): Promise<TokenDoor> {
  const tls = tlsConfigSchema.parse({
    certificateFile: file('server.pem', server.certificate),
    keyFile: file('server.key', server.key),
    clientCertificates,
    clientAuthorityFile: clientCertificates === 'authority' ? file('ca.pem', authority.certificate) : null,
  })
  return startTokenDoor({}, { tls, publicUrl: 'https://mcp.example' })
}

/** Calls the tool over TLS, with a client certificate where one is given. */
async function call(door: TokenDoor, token: string, certificate: IssuedCertificate | null = null) {
  const asked = modernRequest('tools/call', { name: 'echo', arguments: {} }, { credential: token })
  const outgoing = request({
    host: '127.0.0.1',
    port: door.harness.port,
    servername: 'mcp.example',
    ca: authority.certificate,
    ...(certificate === null ? {} : { cert: certificate.certificate, key: certificate.key }),
    agent: new Agent({ keepAlive: false }),
    method: 'POST',
    path: asked.path,
    headers: ['Host', 'mcp.example', 'Content-Length', String(Buffer.byteLength(asked.body)), ...asked.headers],
    setHost: false,
  })
  outgoing.end(asked.body)
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage]
  const text = Buffer.concat((await answer.toArray()) as Buffer[]).toString()
  return { status: answer.statusCode, text, headers: answer.headers }
}

const bound = (door: TokenDoor, certificate: IssuedCertificate): string =>
  door.token({ cnf: { 'x5t#S256': certificate.thumbprint } })

describe('TLS that ends here', () => {
  let door: TokenDoor
  beforeAll(async () => {
    door = await start('any')
  })
  afterAll(() => door.close())

  it('serves by the name of the certificate, tells browsers to stay with TLS, and says that tokens can be bound', async () => {
    const answer = await call(door, door.token())
    expect([answer.status, answer.headers['strict-transport-security']]).toEqual([200, 'max-age=31536000'])
    const refused = await call(door, 'x')
    expect(refused.headers['www-authenticate']).toContain('resource_metadata="https://mcp.example/.well-known/')
  })

  it('takes a token bound to a certificate with that certificate only', async () => {
    const token = bound(door, client)
    expect((await call(door, token, client)).status).toBe(200)
    expect((await call(door, token, stranger)).status).toBe(401)
    expect((await call(door, token)).status).toBe(401)
    expect((await call(door, bound(door, stranger), stranger)).status).toBe(200)
    expect((await call(door, door.token(), client)).status).toBe(200)
  })

  it('counts such a caller as bound to a key', async () => {
    await door.registry.update('demo/analyst', { senderConstrainedOnly: true })
    expect((await call(door, bound(door, client), client)).status).toBe(200)
    expect((await call(door, door.token(), client)).status).toBe(401)
    await door.registry.update('demo/analyst', { senderConstrainedOnly: false })
  })

  it('does not speak TLS 1.1', async () => {
    const socket = connect({
      host: '127.0.0.1',
      port: door.harness.port,
      ca: authority.certificate,
      servername: 'mcp.example',
      minVersion: 'TLSv1.1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    } as ConnectionOptions)
    const [error] = (await once(socket, 'error')) as [Error]
    expect(String(error)).toMatch(/protocol version|unsupported/i)
  })
})

describe('with an authority for client certificates', () => {
  let door: TokenDoor
  beforeAll(async () => {
    door = await start('authority')
  })
  afterAll(() => door.close())

  it('one of another authority is as none, and the caller may come with another credential', async () => {
    expect((await call(door, bound(door, client), client)).status).toBe(200)
    expect((await call(door, bound(door, stranger), stranger)).status).toBe(401)
    expect((await call(door, door.token(), stranger)).status).toBe(200)
  })
})

describe('the files of TLS', () => {
  const names = async (port: number): Promise<string> => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false })
    await once(socket, 'secureConnect')
    const name = socket.getPeerCertificate().subjectaltname ?? ''
    socket.destroy()
    return name
  }

  it('are read again, and a pair that does not fit leaves the former one', async () => {
    const config = tlsConfigSchema.parse({
      certificateFile: file('server.pem', server.certificate),
      keyFile: file('server.key', server.key),
    })
    const failures: unknown[] = []
    const web = createWebServer(
      config,
      {},
      (_, response) => response.end(),
      (error) => failures.push(error),
    )
    web.server.listen(0, '127.0.0.1')
    await once(web.server, 'listening')
    const { port } = web.server.address() as AddressInfo
    expect(await names(port)).toBe('DNS:mcp.example')
    const next = authority.issue(['next.example'])
    file('server.pem', next.certificate)
    web.reload()
    expect([await names(port), String(failures)]).toEqual(['DNS:mcp.example', expect.stringContaining('do not belong')])
    expect(JSON.stringify(failures)).not.toContain('PRIVATE')
    file('server.key', next.key)
    web.reload()
    expect(await names(port)).toBe('DNS:next.example')
    web.stop()
    web.server.close()
  })

  it('stop the start where they cannot be used', () => {
    const config = tlsConfigSchema.parse({ certificateFile: '/nowhere/a.pem', keyFile: '/nowhere/a.key' })
    expect(() =>
      createWebServer(
        config,
        {},
        () => {},
        () => {},
      ),
    ).toThrow('http.tls.certificateFile cannot be read (ENOENT)')
  })

  it.each([
    [{ certificateFile: 'a' }, 'tls.keyFile'],
    [{ keyFile: 'a' }, 'tls.certificateFile'],
    [{ clientCertificates: 'any' }, 'tls.clientCertificates'],
    [{ certificateFile: 'a', keyFile: 'a', clientCertificates: 'authority' }, 'tls.clientAuthorityFile'],
  ])('are asked for together: %j', (tls, path) => {
    const issues = HttpConfig.safeParse({ tls, publicUrl: 'https://mcp.example' }).error?.issues ?? []
    expect(issues.map((issue) => issue.path.join('.'))).toEqual([path])
  })

  it('need a public https URL, by which tokens and proofs name this server', () => {
    const tls = { certificateFile: 'a', keyFile: 'a' }
    const pathsOf = (publicUrl: string | null) =>
      HttpConfig.safeParse({ tls, publicUrl }).error?.issues.map((issue) => issue.path.join('.'))
    expect(['http://mcp.example', null].map(pathsOf)).toEqual([['publicUrl'], ['publicUrl']])
    expect(pathsOf('https://mcp.example')).toBeUndefined()
  })
})

describe('without TLS', () => {
  it('a token bound to a certificate is refused, whatever a header says of one, and nothing tells browsers of TLS', async () => {
    const door = await startTokenDoor()
    const token = bound(door, client)
    expect((await door.call(`Bearer ${token}`)).status).toBe(401)
    const answer = await door.call(`Bearer ${door.token()}`)
    expect([answer.status, answer.headers['strict-transport-security']]).toEqual([200, undefined])
    await door.close()
  })
})
