import { buildConnector, Client, type Dispatcher } from 'undici'
import { checkTarget, type ResolvedAddress } from './check-target.ts'
import type { GuardedFetchPorts } from './guarded-fetch-ports.ts'
import type { FetchOutcome, FetchPolicy, OutgoingRequest } from './guarded-fetch.ts'
import { readBounded } from './read-bounded.ts'
import { refusalOf } from './refusal-of.ts'
import { resolveBySystem } from './resolve-by-system.ts'

/** One request over a connection of its own to an address that was checked. Ends with `signal` at the latest. */
export async function fetchOnce(
  text: string,
  request: OutgoingRequest & { readonly headers: Record<string, string>; readonly signal: AbortSignal },
  policy: FetchPolicy,
  ports: GuardedFetchPorts,
): Promise<FetchOutcome> {
  const target = await checkTarget(text, policy.allow, ports.resolve ?? resolveBySystem)
  if (!target.ok) return target
  if (request.signal.aborted) return { ok: false, reason: 'aborted' }
  const client = new Client(target.url.origin, {
    connect: pinnedConnector(target.addresses, policy, ports),
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
    return { ok: false, reason: firstByte.signal.aborted ? 'timeout' : refusalOf(error) }
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
function pinnedConnector(
  addresses: readonly ResolvedAddress[],
  { timeoutMs }: FetchPolicy,
  { certificateAuthorities }: GuardedFetchPorts,
): buildConnector.connector {
  const [first] = addresses
  return buildConnector({
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
  })
}
