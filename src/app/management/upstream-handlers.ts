import type { UpstreamConnections, UpstreamVault } from '../../auth/index.ts'
import { fetchWithCredential, type GuardedFetch, type InjectedOutcome } from '../../egress/index.ts'
import type { Invocation } from '../../gateway/index.ts'
import { isJsonObject, McpworksError, type JsonObject } from '../../kernel/index.ts'
import type { Handlers } from './handler.ts'

type UpstreamHandlers = Pick<
  Handlers,
  | 'upstream.list'
  | 'upstream.show'
  | 'upstream.add'
  | 'upstream.connect'
  | 'upstream.connect-own'
  | 'upstream.set-secret'
  | 'upstream.check'
  | 'upstream.disconnect'
  | 'upstream.remove'
  | 'upstream.rotate-key'
>

/** What the handlers stand on. */
export interface UpstreamHandlerParts {
  readonly connections: UpstreamConnections
  readonly vault: Pick<UpstreamVault, 'rotateDataKey'>
  readonly fetch: GuardedFetch
  /** Networks beyond the public ones in which servers may be. */
  readonly networks: readonly string[]
  /** Page on which a person consents. */
  readonly connectPage: (namespace: string, server: string) => string
}

/**
 * Third-party servers and the credentials for them. A credential of a user is used for that user only, that of the
 * namespace for who may manage it: nothing else uses them yet.
 */
export function upstreamHandlers(parts: UpstreamHandlerParts): UpstreamHandlers {
  const { connections, vault } = parts

  async function pageFor(namespace: string, server: string, owner: 'namespace' | 'user'): Promise<JsonObject> {
    const found = await connections.show(namespace, server)
    if (found.method !== 'oauth')
      throw new McpworksError('invalid_request', { message: `${namespace}/${server} takes no person's consent.` })
    if (found.owner !== owner)
      throw new McpworksError('invalid_request', {
        message:
          owner === 'user'
            ? `${namespace}/${server} has one credential for the whole namespace.`
            : `At ${namespace}/${server} each person uses an account of their own.`,
      })
    return { page: parts.connectPage(namespace, server) }
  }

  return {
    'upstream.list': async ({ namespace }) => ({ upstreams: (await connections.list(namespace)).map(asJson) }),
    'upstream.show': async ({ namespace, server }) => ({ upstream: asJson(await connections.show(namespace, server)) }),
    async 'upstream.add'({ server, ...input }, invocation) {
      return { upstream: asJson(await connections.add({ ...input, name: server }, doer(invocation))) }
    },
    'upstream.connect': ({ namespace, server }) => pageFor(namespace, server, 'namespace'),
    'upstream.connect-own': ({ namespace, server }) => pageFor(namespace, server, 'user'),
    async 'upstream.set-secret'({ namespace, server, kind, secret }, invocation) {
      const { owner } = await connections.show(namespace, server)
      const ownerId = owner === 'user' && kind === 'header' ? invocation.caller.principal.id : ''
      await connections.setSecret({ namespace, name: server, ownerId, kind }, secret, doer(invocation))
      return { stored: kind }
    },
    async 'upstream.check'({ namespace, server }, invocation) {
      const { owner, url } = await connections.show(namespace, server)
      const ownerId = owner === 'user' ? invocation.caller.principal.id : ''
      const outcome = await connections.credential(namespace, server, ownerId)
      if (!outcome.ok) return { ok: false, reason: outcome.reason, detail: outcome.detail }
      return asJson(await ask(parts, outcome.credential, url))
    },
    async 'upstream.disconnect'({ namespace, server, user }, invocation) {
      return { ...(await connections.disconnect(namespace, server, user ?? '', doer(invocation))) }
    },
    async 'upstream.remove'({ namespace, server }, invocation) {
      await connections.remove(namespace, server, doer(invocation))
      return { removed: server }
    },
    'upstream.rotate-key': async ({ namespace }) => ({ ...(await vault.rotateDataKey(namespace)) }),
  }
}

/** How a server took a request with the credential. Of its answer only what is told here. */
interface Checked {
  readonly ok: boolean
  readonly status: number | null
  readonly reason: string | null
  /** What the server calls itself, cut to plain characters; `null` where it did not answer as an MCP server. */
  readonly server: string | null
}

type Credential = Parameters<typeof fetchWithCredential>[1]

async function ask({ fetch, networks }: UpstreamHandlerParts, credential: Credential, url: string): Promise<Checked> {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'mcpworks', version: '0.1.0' },
    'io.modelcontextprotocol/clientCapabilities': {},
  }
  const outcome = await fetchWithCredential(
    fetch,
    credential,
    url,
    {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': 'server/discover',
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'server/discover', params: { _meta: meta } }),
    },
    { purpose: 'upstream-check', maxBytes: 256 * 1024, timeoutMs: 15_000, allow: { networks } },
  )
  return checkedOf(outcome)
}

function checkedOf(outcome: InjectedOutcome): Checked {
  if (!outcome.ok) return { ok: false, status: null, reason: outcome.reason, server: null }
  const { status, body } = outcome
  if (status === 401 || status === 403) return { ok: false, status, reason: 'credential-refused', server: null }
  return { ok: status < 400, status, reason: status < 400 ? null : 'refused', server: nameIn(body) }
}

function nameIn(body: Uint8Array): string | null {
  const text = Buffer.from(body).toString('utf8')
  const json = text.startsWith('{') ? text : (/^data: (\{.*)$/m.exec(text)?.[1] ?? '')
  const message: unknown = json !== '' ? parse(json) : null
  const result = isJsonObject(message) && isJsonObject(message.result) ? message.result : {}
  const info = isJsonObject(result.serverInfo) ? result.serverInfo.name : null
  return typeof info === 'string' ? info.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 100) : null
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return null
  }
}

function doer({ caller }: Invocation): { principalId: string; address: string } {
  return { principalId: caller.principal.id, address: caller.client.address }
}

function asJson(value: object): JsonObject {
  return JSON.parse(JSON.stringify(value)) as JsonObject
}
