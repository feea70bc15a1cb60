import type { FrontRequest } from '../../auth/index.ts'
import { readBody } from '../read-body.ts'
import { abandonBody, sendError } from '../respond.ts'
import type { MountedRequest } from '../routes.ts'

/** Longest body of a request to an endpoint, in bytes: an assertion is the longest thing that comes. */
const maxBodyBytes = 48 * 1024

/**
 * Reads a request within bounds, for the authorization server. `null` where it was refused, which was answered, or the
 * client left.
 */
export async function readFront(mounted: MountedRequest): Promise<FrontRequest | null> {
  const { head, request, response } = mounted
  const refuse = (code: 'invalid_request' | 'body_too_large', reason: string): null => {
    mounted.refused(code, reason)
    abandonBody(request, response)
    sendError(response, code, { message: `The request is refused: ${reason}.` })
    return null
  }
  if (head.authorization.length > 1) return refuse('invalid_request', 'more than one Authorization header')
  if (head.dpop.length > 1) return refuse('invalid_request', 'more than one DPoP header')
  const method = head.method === 'POST' ? 'POST' : 'GET'
  const body = method === 'POST' ? await readBody(request, maxBodyBytes) : { ok: true as const, bytes: Buffer.alloc(0) }
  if (!body.ok) return body.reason === 'aborted' ? null : refuse('body_too_large', 'the body is too long')
  return {
    method,
    path: head.path,
    query: head.query,
    cookie: head.cookie,
    authorization: head.authorization[0],
    dpop: head.dpop[0],
    contentType: head.contentType,
    accept: head.accept,
    body: body.bytes,
    address: mounted.address,
    certificateSha256: mounted.certificateSha256,
  }
}
