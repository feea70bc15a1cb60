import type { GuardedFetch } from '../../egress/index.ts'
import type { Clock } from '../../kernel/index.ts'
import { BoundedMap } from '../bounded-map.ts'
import type { IntrospectionConfig } from './config.ts'
import { fetchJson } from './fetch-json.ts'
import type { ForeignIssuer } from './foreign-issuer.ts'
import { readForeignClaims, type ForeignReading } from './read-foreign-claims.ts'
import { invalidToken, type TokenOutcome } from './verified-token.ts'

/** Asks the issuer about an opaque token. */
export type Introspect = (token: string, sha256: string, reading: ForeignReading) => Promise<TokenOutcome>

/** What asking stands on. */
export interface IntrospectionParts {
  readonly issuer: ForeignIssuer
  readonly config: IntrospectionConfig
  readonly guardedFetch: GuardedFetch
  readonly clock: Clock
}

const maxRefused = 10_000
const refusedForMs = 10_000
const endpointForMs = 300_000

/**
 * Makes token introspection (RFC 7662). A token is asked about once however often it comes at once, an answer that it is
 * good is relied on for `cacheSeconds`, one that it is not for 10 seconds. No answer is a refusal.
 */
export function createIntrospection({ issuer, config, guardedFetch, clock }: IntrospectionParts): Introspect {
  const underWay = new Map<string, Promise<TokenOutcome>>()
  const refused = new BoundedMap<string, number>(maxRefused)
  let endpoint: { readonly url: string; readonly atMs: number } | null = null

  async function findEndpoint(): Promise<string | null> {
    if (config.endpoint !== null) return config.endpoint
    if (endpoint !== null && clock.monotonicMs() - endpoint.atMs < endpointForMs) return endpoint.url
    const url = await issuer.findEndpoint('introspection_endpoint')
    endpoint = url === null ? endpoint : { url, atMs: clock.monotonicMs() }
    return endpoint?.url ?? null
  }

  async function ask(token: string, sha256: string, reading: ForeignReading): Promise<TokenOutcome> {
    const url = await findEndpoint()
    if (url === null) return unavailable('the issuer names no address to ask about tokens')
    const answer = await fetchJson(
      guardedFetch,
      url,
      {
        method: 'POST',
        headers: { authorization: basic(config), 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ token, token_type_hint: 'access_token' }).toString(),
      },
      { networks: issuer.networks },
    )
    if (!answer.ok) return unavailable('the issuer does not answer about the token')
    const { active, iss } = answer.value
    if (active !== true) {
      refused.set(sha256, clock.monotonicMs())
      return invalidToken('the issuer says that it is not active')
    }
    if (iss !== undefined && iss !== issuer.issuer) return invalidToken('it is of another issuer')
    const outcome = readForeignClaims(issuer, answer.value, reading)
    if (!outcome.ok) return outcome
    const freshUntilMs = Math.min(outcome.token.expiresAtMs, clock.nowMs() + config.cacheSeconds * 1000)
    return { ok: true, token: { ...outcome.token, freshUntilMs } }
  }

  return async (token, sha256, reading) => {
    const refusedAtMs = refused.get(sha256)
    if (refusedAtMs !== undefined && clock.monotonicMs() - refusedAtMs < refusedForMs)
      return invalidToken('the issuer says that it is not active')
    const key = `${sha256} ${reading.resource.identifier}`
    const asked = underWay.get(key) ?? ask(token, sha256, reading).finally(() => underWay.delete(key))
    underWay.set(key, asked)
    return asked
  }
}

function unavailable(reason: string): TokenOutcome {
  return { ok: false, code: 'issuer_unavailable', reason }
}

/** RFC 6749 section 2.3.1: both halves are form-encoded before they are joined. */
function basic({ clientId, clientSecret }: IntrospectionConfig): string {
  const encode = (text: string): string => new URLSearchParams({ '': text }).toString().slice(1)
  return `Basic ${Buffer.from(`${encode(clientId)}:${encode(clientSecret)}`).toString('base64')}`
}
