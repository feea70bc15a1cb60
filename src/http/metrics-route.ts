import { createHash, timingSafeEqual } from 'node:crypto'
import { abandonBody, sendBytes, sendError } from './respond.ts'
import type { Route } from './routes.ts'

/** What there is to read. */
export interface MetricsPage {
  /** The token that opens it and nothing else. */
  readonly token: string
  readonly mediaType: string
  text(): Promise<string>
}

/**
 * `GET /metrics`, for a scraper with a token of its own: it reads figures and can do nothing else, where a credential of
 * a person or an agent could do more than a scraper should. A wrong token is a refusal at the door. Reading leaves no
 * record: nothing is shown of any call but how many there were.
 */
export function metricsRoute({ token, mediaType, text }: MetricsPage): Route {
  const expected = digest(`Bearer ${token}`)
  return {
    method: 'GET',
    path: '/metrics',
    access: { kind: 'public' },
    serve: {
      kind: 'mounted',
      part: async ({ request, response, head, refused }) => {
        abandonBody(request, response)
        const [presented] = head.authorization
        if (presented === undefined || !timingSafeEqual(digest(presented), expected)) {
          const code = presented === undefined ? 'credential_missing' : 'credential_invalid'
          refused(code, 'metrics')
          return sendError(response, code, { headers: { 'WWW-Authenticate': 'Bearer realm="metrics"' } })
        }
        sendBytes(response, Buffer.from(await text()), {
          'Content-Type': mediaType,
          'Cache-Control': 'no-store',
          Vary: 'Authorization',
        })
      },
    },
  }
}

function digest(text: string): Uint8Array {
  return createHash('sha256').update(text).digest()
}
