import type { FetchOutcome, FetchRefusal, GuardedFetch, OutgoingRequest } from './guarded-fetch.ts'
import type { GuardedFetchPorts } from './guarded-fetch-ports.ts'

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
      return await withinTime(policy.timeoutMs, request.signal, async (signal) => {
        // Loaded for the first request: every command of the command line would wait for it else, to send none.
        const { fetchOnce } = await import('./fetch-once.ts')
        return await fetchOnce(url, { ...request, headers, signal }, policy, ports)
      })
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
