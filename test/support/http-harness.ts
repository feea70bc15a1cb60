import { request as send, type IncomingMessage } from 'node:http'
import type { Authenticator } from '../../src/auth/index.ts'
import {
  createMemoryCatalogue,
  type CatalogueEntry,
  type Gateway,
  type MutableCatalogue,
} from '../../src/gateway/index.ts'
import {
  createHttpServer,
  HttpConfig,
  type DoorRefusal,
  type Health,
  type HttpServerParts,
  type Incident,
} from '../../src/http/index.ts'
import { systemClock, type Caller, type Clock, type JsonObject, type Scope } from '../../src/kernel/index.ts'
import { createOpenGateway } from './open-gateway.ts'

/** What a test may choose. */
export interface HarnessOptions {
  readonly config?: Partial<HttpConfig>
  /** Entries of the namespace `demo` and others; those namespaces exist. */
  readonly entries?: readonly CatalogueEntry[]
  readonly gateway?: (catalogue: MutableCatalogue) => Gateway
  readonly callers?: Readonly<Record<string, Caller>>
  /** Instead of the table of `callers`. */
  readonly door?: Pick<HttpServerParts, 'authenticator' | 'refresh' | 'authorizationServers'>
  readonly health?: () => Health
  readonly clock?: Clock
  readonly everythingThroughSdk?: boolean
}

/** An HTTP server of ours over a gateway that decides nothing, on a free port. */
export interface Harness {
  readonly url: string
  readonly port: number
  readonly catalogue: MutableCatalogue
  readonly refusals: DoorRefusal[]
  readonly incidents: Incident[]
  /** Credentials that stop to be good when removed. */
  readonly credentials: Map<string, Caller>
  close(): Promise<void>
}

/** An agent of a namespace with a credential of its own. */
export function agent(name: string, namespace = 'demo', scopes: readonly Scope[] = ['mcp']): Caller {
  return {
    principal: { type: 'agent', id: `${namespace}/${name}`, name, namespace, groups: [] },
    authentication: {
      method: 'api-key',
      credentialId: `key-of-${name}`,
      senderConstrained: false,
      expiresAtMs: null,
      scopes,
    },
    client: { address: '127.0.0.1', claimedName: null },
  }
}

/** Starts the server. Without `callers` the credential `alice-secret` is an agent of `demo`. */
export async function startHarness(options: HarnessOptions = {}): Promise<Harness> {
  const catalogue = createMemoryCatalogue()
  catalogue.addNamespace('demo')
  for (const [namespace, entries] of Map.groupBy(options.entries ?? [], (entry) => entry.namespace)) {
    catalogue.addNamespace(namespace)
    for (const [service, own] of Map.groupBy(entries, (entry) => entry.service))
      catalogue.replaceService(namespace, service, own)
  }
  const credentials = new Map(Object.entries(options.callers ?? { 'alice-secret': agent('alice') }))
  const refusals: DoorRefusal[] = []
  const incidents: Incident[] = []
  const server = createHttpServer({
    gateway: options.gateway?.(catalogue) ?? createOpenGateway(catalogue),
    authenticator: tableAuthenticator(credentials),
    refresh: (caller) => ([...credentials.values()].includes(caller) ? caller : null),
    ...options.door,
    catalogue,
    config: HttpConfig.parse({ port: 0, ...options.config }),
    clock: options.clock ?? systemClock,
    serverInfo: { name: 'mcpworks', version: '0.0.0-test' },
    everythingThroughSdk: options.everythingThroughSdk ?? false,
    health: options.health ?? (() => ({ ok: true, refusing: [] })),
    recordDoorRefusal: (refusal) => void refusals.push(refusal),
    reportIncident: (incident) => void incidents.push(incident),
  })
  const { url, port } = await server.listen()
  return { url, port, catalogue, refusals, incidents, credentials, close: () => server.close(0) }
}

function tableAuthenticator(credentials: ReadonlyMap<string, Caller>): Authenticator {
  return {
    async authenticate({ authorization }) {
      const [value, ...more] = authorization
      if (value === undefined) return { ok: false, code: 'credential_missing', reason: 'none was sent' }
      const caller = more.length === 0 && value.startsWith('Bearer ') ? credentials.get(value.slice(7)) : undefined
      if (caller === undefined) return { ok: false, code: 'credential_invalid', reason: 'not in the table' }
      return { ok: true, caller }
    },
  }
}

/** A request in every detail: `node:http`, because `fetch` drops Host and joins repeated fields. */
export interface RawRequest {
  readonly method?: string
  readonly path?: string
  /** Names and values in turn, sent as they are. */
  readonly headers?: readonly string[]
  readonly body?: string | Buffer
}

/** An answer with its whole body. */
export interface RawAnswer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
  readonly json: JsonObject
}

/** Sends one request on a connection of its own. Host is added unless given. */
export function sendRaw(
  port: number,
  { method = 'GET', path = '/', headers = [], body }: RawRequest,
): Promise<RawAnswer> {
  const named = headers.some((value, index) => index % 2 === 0 && value.toLowerCase() === 'host')
  const all = [...(named ? [] : ['Host', `127.0.0.1:${port}`]), ...headers]
  if (body !== undefined) all.push('Content-Length', String(Buffer.byteLength(body)))
  return new Promise((resolve, reject) => {
    const outgoing = send(
      { host: '127.0.0.1', port, method, path, headers: all, setHost: false, agent: false },
      (answer) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('error', reject)
        answer.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8')
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text, json: parseOrEmpty(text) })
        })
      },
    )
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

function parseOrEmpty(text: string): JsonObject {
  try {
    return JSON.parse(text) as JsonObject
  } catch {
    return {}
  }
}
