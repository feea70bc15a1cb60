import { Readable } from 'node:stream'
import type { FrontRequest, LibraryRequest } from './front-request.ts'

/**
 * A request for oidc-provider, made of what was checked and nothing else: no `Host`, no `X-Forwarded-*`, no field that
 * came twice. The body was read within bounds already.
 */
export function libraryRequest(front: FrontRequest): LibraryRequest {
  const fields: Record<string, string | undefined> = {
    cookie: front.cookie,
    authorization: front.authorization,
    dpop: front.dpop,
    accept: front.accept,
    'content-type': front.contentType,
    'content-length': front.method === 'POST' ? String(front.body.length) : undefined,
  }
  const headers = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
  const request = Object.assign(Readable.from(front.body.length === 0 ? [] : [front.body], { objectMode: false }), {
    method: front.method,
    url: front.query === '' ? front.path : `${front.path}?${front.query}`,
    headers,
    socket: { remoteAddress: front.address },
  })
  // What Koa and oidc-provider read of a request is all there; the rest belongs to the connection.
  return request as unknown as LibraryRequest
}
