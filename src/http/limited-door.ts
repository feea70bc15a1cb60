import type { LimitedDoor, LimitVerdict } from '../auth/index.ts'
import type { ErrorAnswer } from './respond.ts'
import type { Route } from './routes.ts'

/** Which budget a request comes out of; `null` for `/healthz`, which must answer whoever else asks for what. */
export function limitedDoorOf(route: Route | null): LimitedDoor | null {
  switch (route?.serve.kind) {
    case 'health':
      return null
    case 'mcp':
      return 'mcp'
    case 'operation':
      return 'management'
    case 'mounted':
      if (route.path.startsWith('/oauth/')) return 'token'
      return /^\/(?:sign-in|account)/.test(route.path) ? 'sign-in' : 'other'
    case undefined:
      return 'other'
  }
}

/** The answer to a request that is over a limit: when to come again (RFC 6585 section 4), and not which limit it was. */
export function tooMany({ retryAfterSeconds }: Extract<LimitVerdict, { ok: false }>): ErrorAnswer {
  return { headers: { 'Retry-After': String(retryAfterSeconds) }, members: { retryAfterSeconds } }
}
