import type { FetchPolicy, GuardedFetch, OutgoingRequest } from './guarded-fetch.ts'

/** What libraries call in place of the global `fetch`. */
export type WebFetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>

/**
 * The guarded fetch in the form of the web's, for libraries that take one (`oidc-provider`, `openid-client`, `jose`).
 * Their wishes about redirects, proxies, agents and connection reuse are not heard.
 * @throws TypeError as `fetch` does, where there is no answer; its message is the reason alone.
 */
export function createWebFetch(guardedFetch: GuardedFetch, policy: FetchPolicy): WebFetch {
  return async (input, init) => {
    const request = new Request(input instanceof URL ? input.href : input, { ...init, redirect: 'manual' })
    const url = typeof input === 'string' ? input : input instanceof URL ? input.href : input.url
    const headers = Object.fromEntries([...request.headers].filter(([name]) => !dropped.has(name)))
    const body = request.body === null ? null : new Uint8Array(await request.arrayBuffer())
    const outcome = await guardedFetch(
      url,
      {
        method: request.method as NonNullable<OutgoingRequest['method']>,
        headers,
        ...(body === null ? {} : { body }),
        signal: request.signal,
      },
      policy,
    )
    if (!outcome.ok) throw new TypeError(outcome.reason)
    const empty = outcome.status === 204 || outcome.status === 205 || request.method === 'HEAD'
    const answer = new Response(empty ? null : Buffer.from(outcome.body), {
      status: outcome.status,
      headers: outcome.headers,
    })
    Object.defineProperty(answer, 'url', { value: url })
    return answer
  }
}

/** What such libraries set and the guarded fetch decides itself. */
const dropped = new Set(['accept-encoding', 'connection', 'content-length', 'host', 'keep-alive'])
