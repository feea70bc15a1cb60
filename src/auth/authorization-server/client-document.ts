import type { AddressRules, GuardedFetch } from '../../egress/index.ts'
import { isJsonObject, type Clock, type JsonObject, type JsonValue } from '../../kernel/index.ts'
import { readClientName } from './client-name.ts'
import type { OAuthClient } from './oauth-client.ts'
import { publicClientMetadata } from './oauth-clients.ts'
import { redirectUriProblem } from './redirect-uri.ts'

/** How documents are read. */
export interface ClientDocumentsOptions {
  readonly fetch: GuardedFetch
  readonly clock: Clock
  /** Networks besides public addresses where documents may lie. */
  readonly addresses: AddressRules
  /** Whether documents of this host are taken at all. */
  readonly isHostTaken: (host: string) => boolean
  /** Grant types besides code and refresh that a client may ask for. */
  readonly grantTypes: readonly string[]
}

const maxBytes = 16 * 1024
const timeoutMs = 4000
const maxCached = 500
/** Milliseconds for which a document is taken as read, by what its answer says, within bounds. */
const [minCacheMs, maxCacheMs] = [60_000, 3_600_000]
/** Milliseconds in which a document that could not be had is not asked for again: anybody can make us ask. */
const refusedCacheMs = 30_000

/**
 * Reads clients from the documents at their URLs (OAuth Client ID Metadata Document, draft 00 section 4). Whoever can
 * put a document there is the client: that is all that is known of it. `null` where there is no good document.
 */
export function createClientDocuments(options: ClientDocumentsOptions): (url: string) => Promise<OAuthClient | null> {
  const { clock } = options
  const cache = new Map<string, { readonly client: Promise<OAuthClient | null>; untilMs: number }>()

  return (url) => {
    const host = hostOfClientUrl(url)
    if (host === null || !options.isHostTaken(host)) return Promise.resolve(null)
    const known = cache.get(url)
    if (known !== undefined && known.untilMs > clock.nowMs()) return known.client
    cache.delete(url)
    const oldest = cache.keys().next().value
    if (cache.size >= maxCached && oldest !== undefined) cache.delete(oldest)
    const reading = read(url, host, options)
    const entry = {
      client: reading.then(({ client }) => client),
      untilMs: clock.nowMs() + refusedCacheMs,
    }
    cache.set(url, entry)
    return reading.then(({ client, cacheMs }) => {
      if (client !== null) entry.untilMs = clock.nowMs() + cacheMs
      return client
    })
  }
}

/**
 * The host of a URL that can be a client's id; `null` for every other text: https, with a path, in normal form and so
 * without dot segments, no userinfo, query or fragment, no dot at the end of the host.
 */
function hostOfClientUrl(text: string): string | null {
  const url = text.length > 1000 ? null : URL.parse(text)
  if (url === null || url.href !== text || url.protocol !== 'https:') return null
  if (url.username !== '' || url.password !== '' || /[@?#\\]/.test(text)) return null
  // With a dot at its end a name is the same host, and would be none of those that are refused.
  return url.pathname === '/' || url.hostname.endsWith('.') ? null : url.host
}

async function read(
  url: string,
  host: string,
  { fetch, addresses, grantTypes }: ClientDocumentsOptions,
): Promise<{ client: OAuthClient | null; cacheMs: number }> {
  const none = { client: null, cacheMs: refusedCacheMs }
  const answer = await fetch(
    url,
    { headers: { accept: 'application/json' } },
    { purpose: 'client-document', maxBytes, timeoutMs, allow: addresses },
  )
  if (!answer.ok || answer.status !== 200) return none
  const document = parse(answer.body)
  if (document === null) return none
  const metadata = checkDocument(document, url, grantTypes)
  if (metadata === null) return none
  const name = readClientName(document.client_name) ?? host
  return {
    client: { id: url, name, source: 'document', host, metadata: publicClientMetadata(url, name, metadata) },
    cacheMs: cacheMsOf(answer.headers['cache-control']),
  }
}

function parse(body: Uint8Array): JsonObject | null {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
    return isJsonObject(value) ? value : null
  } catch {
    // A document that cannot be read is none, and the client is unknown.
    return null
  }
}

/** The members that count, checked; `null` where the document cannot be a client of this server. */
function checkDocument(document: JsonObject, url: string, grantTypes: readonly string[]): JsonObject | null {
  if (document.client_id !== url || 'client_secret' in document || 'client_secret_expires_at' in document) return null
  const redirects = texts(document.redirect_uris).filter((uri) => redirectUriProblem(uri, 'document') === null)
  if (redirects.length === 0 || redirects.length > 50) return null
  const method = document.token_endpoint_auth_method ?? 'none'
  if (method !== 'none' && method !== 'private_key_jwt') return null
  const keys = isJsonObject(document.jwks) ? { jwks: document.jwks } : { jwks_uri: document.jwks_uri ?? null }
  if (method === 'private_key_jwt' && 'jwks_uri' in keys && typeof keys.jwks_uri !== 'string') return null
  const known = ['authorization_code', 'refresh_token', ...grantTypes]
  const wanted = texts(document.grant_types).filter((grantType) => known.includes(grantType))
  return {
    redirect_uris: redirects,
    token_endpoint_auth_method: method,
    ...(method === 'private_key_jwt' ? keys : {}),
    ...(wanted.length === 0 ? {} : { grant_types: wanted }),
    ...(document.dpop_bound_access_tokens === true ? { dpop_bound_access_tokens: true } : {}),
  }
}

function texts(value: JsonValue | undefined): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}

function cacheMsOf(header: string | undefined): number {
  const seconds = /(?:^|[,\s])max-age=(\d{1,9})/i.exec(header ?? '')?.[1]
  return Math.min(maxCacheMs, Math.max(minCacheMs, Number(seconds ?? 0) * 1000))
}
