import type { AddressRules, GuardedFetch } from '../../egress/index.ts'
import type { JsonObject } from '../../kernel/index.ts'
import { fetchJson } from './fetch-json.ts'

/**
 * The metadata of an issuer (RFC 8414 section 3, OpenID Connect Discovery 1.0 section 4): the first of the addresses
 * that answers with a document of exactly this issuer; `null` where none does.
 */
export async function fetchIssuerMetadata(
  guardedFetch: GuardedFetch,
  issuer: string,
  urls: readonly string[],
  allow: AddressRules,
): Promise<JsonObject | null> {
  for (const url of urls) {
    const fetched = await fetchJson(guardedFetch, url, {}, allow)
    // Section 3.3: another issuer's document would bring that issuer's keys along.
    if (fetched.ok && fetched.value.issuer === issuer) return fetched.value
  }
  return null
}
