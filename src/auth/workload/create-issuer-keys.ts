import type { GuardedFetch } from '../../egress/index.ts'
import { isJsonObject, type Clock, type JsonObject } from '../../kernel/index.ts'
import type { TokensConfig } from '../resource-server/config.ts'
import { fetchJson } from '../resource-server/fetch-json.ts'
import { fetchIssuerMetadata } from '../resource-server/issuer-metadata.ts'
import { issuerProfile } from '../resource-server/issuer-profile.ts'
import { createKeySet, type KeySet } from '../resource-server/key-set.ts'
import type { WorkloadIssuer } from './workload-issuer.ts'

/** What key sets stand on. */
export interface IssuerKeysParts {
  readonly tokens: Pick<TokensConfig, 'keysFreshSeconds' | 'keysKeptSeconds'>
  readonly guardedFetch: GuardedFetch
  readonly clock: Clock
}

/** The keys of each trusted issuer: given, at an address, or found by discovery. Fetches nothing yet. */
export function createIssuerKeys(
  issuers: readonly WorkloadIssuer[],
  { tokens, guardedFetch, clock }: IssuerKeysParts,
): (issuer: WorkloadIssuer) => KeySet {
  const sets = new Map(
    issuers.map((issuer) => [
      issuer.issuer,
      createKeySet({
        fetchKeys: async () => asSignatureKeys(await fetchKeys(issuer, guardedFetch)),
        clock,
        freshSeconds: tokens.keysFreshSeconds,
        keptSeconds: tokens.keysKeptSeconds,
      }),
    ]),
  )
  return ({ issuer }) => {
    const keys = sets.get(issuer)
    if (keys === undefined) throw new Error('an issuer that is not among the trusted ones')
    return keys
  }
}

async function fetchKeys(
  { issuer, keys, networks }: WorkloadIssuer,
  guardedFetch: GuardedFetch,
): Promise<JsonObject | null> {
  if (keys.from === 'inline') return { keys: [...keys.keys] }
  const allow = { networks }
  const url = keys.from === 'jwks' ? keys.url : await discover(issuer, guardedFetch, allow)
  if (url === null) return null
  const fetched = await fetchJson(guardedFetch, url, {}, allow)
  return fetched.ok ? fetched.value : null
}

async function discover(
  issuer: string,
  guardedFetch: GuardedFetch,
  allow: { readonly networks: readonly string[] },
): Promise<string | null> {
  const metadata = await fetchIssuerMetadata(guardedFetch, issuer, issuerProfile('generic').metadataUrls(issuer), allow)
  const url = metadata?.jwks_uri
  return typeof url === 'string' && URL.canParse(url) ? url : null
}

/** In a SPIFFE bundle the `use` of a key is `jwt-svid` (SPIFFE Trust Domain and Bundle, section 4.2.2). */
function asSignatureKeys(set: JsonObject | null): JsonObject | null {
  if (set === null || !Array.isArray(set.keys)) return set
  return { keys: set.keys.map((key) => (isJsonObject(key) && key.use === 'jwt-svid' ? { ...key, use: 'sig' } : key)) }
}
