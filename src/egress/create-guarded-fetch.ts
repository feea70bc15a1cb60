import { lookup } from 'node:dns/promises'
import type { buildConnector, Dispatcher } from 'undici'
import { checkTarget, type ResolvedAddress, type ResolveName } from './check-target.ts'
import type { FetchOutcome, FetchPolicy, FetchRefusal, GuardedFetch, OutgoingRequest } from './guarded-fetch.ts'
import { readBounded } from './read-bounded.ts'

/** What a guarded fetch stands on. Nothing of it is needed outside tests. */
export interface GuardedFetchPorts {
  /** The system's resolver unless told otherwise. */
  readonly resolve?: ResolveName
  /** Certificates (PEM) to trust instead of those that Node trusts. */
  readonly certificateAuthorities?: readonly string[]
}

const maxUnderWay = 16

/** Set by the client itself: a caller that could set them could frame a second request or name another host. */
const ownHeaders = new Set([
  'accept-encoding',
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** Makes the only way out to the network. See `GuardedFetch`. */
export function createGuardedFetch(ports: GuardedFetchPorts = {}): GuardedFetch {
  const underWay = new Map<string, number>()
  return async (url, request, policy) => {
    const headers = ownedHeaders(request)
    const { purpose } = policy
    const count = underWay.get(purpose) ?? 0
    if (count >= maxUnderWay) return { ok: false, reason: 'busy' }
    underWay.set(purpose, count + 1)
    try {
      return await withinTime(policy.timeoutMs, request.signal, (signal) =>
        fetchOnce(url, { ...request, headers, signal }, policy, ports),
      )
    } finally {
      const left = (underWay.get(purpose) ?? 1) - 1
      if (left > 0) underWay.set(purpose, left)
      else underWay.delete(purpose)
    }
  }
}

function ownedHeaders({ headers = {} }: OutgoingRequest): Record<string, string> {
  for (const name of Object.keys(headers)) {
    if (ownHeaders.has(name.toLowerCase())) throw new TypeError(`the header ${name} is not for callers to set`)
  }
  return { ...headers, 'accept-encoding': 'identity' }
}

/** Ends the wait at the deadline or with the caller's signal, whatever the work itself still waits for. */
async function withinTime(
  timeoutMs: number,
  given: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<FetchOutcome>,
): Promise<FetchOutcome> {
  const controller = new AbortController()
  const { promise, resolve } = Promise.withResolvers<FetchOutcome>()
  const end = (reason: FetchRefusal): void => {
    resolve({ ok: false, reason })
    controller.abort()
  }
  const onAbort = (): void => end('aborted')
  const timer = setTimeout(() => end('timeout'), timeoutMs)
  given?.addEventListener('abort', onAbort, { once: true })
  try {
    if (given?.aborted === true) return { ok: false, reason: 'aborted' }
    return await Promise.race([promise, work(controller.signal)])
  } finally {
    clearTimeout(timer)
    given?.removeEventListener('abort', onAbort)
  }
}

async function fetchOnce(
  text: string,
  request: OutgoingRequest & { readonly headers: Record<string, string>; readonly signal: AbortSignal },
  policy: FetchPolicy,
  ports: GuardedFetchPorts,
): Promise<FetchOutcome> {
  const target = await checkTarget(text, policy.allow, ports.resolve ?? resolveBySystem)
  if (!target.ok) return target
  if (request.signal.aborted) return { ok: false, reason: 'aborted' }
  // Loaded for the first request: every command of the command line would wait for it else, to send none.
  const { buildConnector, Client } = await import('undici')
  const client = new Client(target.url.origin, {
    connect: buildConnector(pinnedOptions(target.addresses, policy, ports)),
    pipelining: 1,
    maxHeaderSize: 16 * 1024,
    headersTimeout: 0,
    bodyTimeout: 0,
  })
  const firstByte = new AbortController()
  const timer = setTimeout(() => firstByte.abort(), policy.firstByteTimeoutMs ?? policy.timeoutMs)
  try {
    const answer = await client.request({
      path: `${target.url.pathname}${target.url.search}`,
      method: request.method ?? 'GET',
      headers: request.headers,
      body: request.body ?? null,
      signal: AbortSignal.any([request.signal, firstByte.signal]),
    })
    clearTimeout(timer)
    return await readAnswer(answer, policy.maxBytes)
  } catch (error) {
    return { ok: false, reason: firstByte.signal.aborted ? 'timeout' : reasonOf(error) }
  } finally {
    clearTimeout(timer)
    // Not close(): an answer that was refused half-read would be waited for.
    await client.destroy()
  }
}

async function readAnswer(
  { statusCode, headers, body }: Dispatcher.ResponseData,
  maxBytes: number,
): Promise<FetchOutcome> {
  // The connection goes with the answer unread; its stream must not complain of that to nobody.
  body.on('error', () => {})
  if (statusCode >= 300 && statusCode < 400) return { ok: false, reason: 'redirect-refused' }
  const joined = joinedHeaders(headers)
  if ((joined['content-encoding'] ?? 'identity').toLowerCase() !== 'identity') {
    return { ok: false, reason: 'encoding-refused' }
  }
  if (Number(joined['content-length'] ?? 0) > maxBytes) return { ok: false, reason: 'too-large' }
  const bytes = await readBounded(body, maxBytes)
  if (bytes === null) return { ok: false, reason: 'too-large' }
  return { ok: true, status: statusCode, headers: joined, body: bytes }
}

function joinedHeaders(headers: Dispatcher.ResponseData['headers']): Record<string, string> {
  const joined: Record<string, string> = Object.create(null) as Record<string, string>
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) joined[name.toLowerCase()] = Array.isArray(value) ? value.join(', ') : value
  }
  return joined
}

/** Connects to the checked addresses and nothing else; the name serves TLS and `Host` only. */
function pinnedOptions(
  addresses: readonly ResolvedAddress[],
  { timeoutMs }: FetchPolicy,
  { certificateAuthorities }: GuardedFetchPorts,
): buildConnector.BuildOptions {
  const [first] = addresses
  return {
    allowH2: false,
    maxCachedSessions: 0,
    timeout: timeoutMs,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    ...(certificateAuthorities === undefined ? {} : { ca: [...certificateAuthorities] }),
    lookup: (_hostname, options, callback) => {
      if (first === undefined) callback(new Error('no address'), '', 4)
      else if (options.all === true) callback(null, [...addresses])
      else callback(null, first.address, first.family)
    },
  }
}

/** Every address that the system knows for a name. */
export async function resolveBySystem(hostname: string): Promise<readonly ResolvedAddress[]> {
  const found = await lookup(hostname, { all: true, order: 'verbatim' })
  return found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }))
}

const certificateCodes = /CERT|SELF_SIGNED|ERR_TLS|UNABLE_TO_|ERR_SSL|SIGNATURE/

/** What an error of a connection means. */
export function reasonOf(error: unknown): FetchRefusal {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (certificateCodes.test(code)) return 'certificate-refused'
  if (code === 'UND_ERR_ABORTED' || (error instanceof Error && error.name === 'AbortError')) return 'aborted'
  if (code === 'UND_ERR_CONNECT_TIMEOUT') return 'timeout'
  if (code === 'UND_ERR_HEADERS_OVERFLOW' || code.startsWith('HPE_')) return 'malformed'
  return 'unreachable'
}
