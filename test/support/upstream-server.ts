import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import type { JsonObject } from '../../src/kernel/index.ts'

/** A third-party MCP server over real HTTP that takes tokens of one issuer, or one fixed key. */
export interface UpstreamServer {
  readonly url: string
  readonly origin: string
  /** Every request, with the headers that came. */
  readonly requests: readonly { readonly path: string; readonly headers: Readonly<Record<string, unknown>> }[]
  /** Overrides what is answered on a path from now on. */
  answer(path: string, handler: (request: IncomingMessage, response: ServerResponse) => void): void
  /** Laid over its protected-resource metadata. */
  metadata: JsonObject
  close(): Promise<void>
}

/** Starts it. `issuer` may be told later, through `metadata`. */
export async function startUpstreamServer(options: { issuer?: string; apiKey?: string } = {}): Promise<UpstreamServer> {
  const requests: { path: string; headers: IncomingMessage['headers'] }[] = []
  const handlers = new Map<string, (request: IncomingMessage, response: ServerResponse) => void>()
  const server = createServer((request, response) => {
    const path = (request.url ?? '').split('?')[0] ?? ''
    requests.push({ path, headers: request.headers })
    const handler = handlers.get(path)
    if (handler !== undefined) return handler(request, response)
    void serve(request, response, path)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const url = `${origin}/mcp`
  const keys = options.issuer === undefined ? null : createRemoteJWKSet(new URL(`${options.issuer}/jwks`))

  async function serve(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    if (path === '/.well-known/oauth-protected-resource/mcp' && options.issuer !== undefined)
      return json(response, 200, { resource: url, authorization_servers: [options.issuer], ...made.metadata })
    if (path !== '/mcp') return json(response, 404, {})
    if (!(await isAllowed(request))) {
      response.setHeader(
        'WWW-Authenticate',
        `Bearer resource_metadata="${origin}/.well-known/oauth-protected-resource/mcp"`,
      )
      return json(response, 401, { error: 'invalid_token' })
    }
    const result = {
      supportedVersions: ['2026-07-28'],
      capabilities: {},
      serverInfo: { name: 'upstream', version: '7' },
    }
    return json(response, 200, { jsonrpc: '2.0', id: 1, result })
  }

  async function isAllowed(request: IncomingMessage): Promise<boolean> {
    if (options.apiKey !== undefined) return request.headers['x-service-key'] === options.apiKey
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1]
    if (token === undefined || keys === null || options.issuer === undefined) return false
    return jwtVerify(token, keys, { issuer: options.issuer, audience: url }).then(
      () => true,
      () => false,
    )
  }

  const made: UpstreamServer = {
    url,
    origin,
    requests,
    metadata: {},
    answer: (path, handler) => void handlers.set(path, handler),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return made
}

function json(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}
