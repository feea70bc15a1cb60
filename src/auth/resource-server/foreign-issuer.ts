import type { GuardedFetch } from '../../egress/index.ts'
import type { Clock, JsonObject, Scope } from '../../kernel/index.ts'
import type { IssuerConfig, TokensConfig } from './config.ts'
import { fetchJson } from './fetch-json.ts'
import { fetchIssuerMetadata } from './issuer-metadata.ts'
import { issuerProfile, type IssuerProfile } from './issuer-profile.ts'
import { createKeySet, type KeySet } from './key-set.ts'

/** A trusted issuer of access tokens with what is needed to verify them. */
export interface ForeignIssuer {
  readonly issuer: string
  readonly profile: IssuerProfile
  readonly algorithms: readonly string[]
  /** Resource by audience, relative to the public URL (`mcp/demo`); empty where the audience is the resource itself. */
  readonly audiences: ReadonlyMap<string, string>
  readonly scopes: Readonly<Record<string, Scope>>
  readonly keys: KeySet
  /** An endpoint of its metadata as it is now; `null` where that cannot be had. */
  findEndpoint(name: 'jwks_uri' | 'introspection_endpoint'): Promise<string | null>
  readonly networks: readonly string[]
}

/** Makes an issuer from its settings. Fetches nothing yet. */
export function createForeignIssuer(
  config: IssuerConfig,
  { keysFreshSeconds, keysKeptSeconds }: TokensConfig,
  guardedFetch: GuardedFetch,
  clock: Clock,
): ForeignIssuer {
  const { issuer, networks } = config
  const profile = issuerProfile(config.profile)
  const allow = { networks }

  async function findEndpoint(name: 'jwks_uri' | 'introspection_endpoint'): Promise<string | null> {
    const metadata = await fetchIssuerMetadata(guardedFetch, issuer, profile.metadataUrls(issuer), allow)
    const url = metadata?.[name]
    return typeof url === 'string' && URL.canParse(url) ? url : null
  }

  async function fetchKeys(): Promise<JsonObject | null> {
    const url = config.jwksUrl ?? (await findEndpoint('jwks_uri'))
    if (url === null) return null
    const fetched = await fetchJson(guardedFetch, url, {}, allow)
    return fetched.ok ? fetched.value : null
  }

  return {
    issuer,
    profile,
    algorithms: config.algorithms ?? profile.algorithms,
    audiences: new Map(config.audiences.map(({ audience, resource }) => [audience, resource])),
    scopes: config.scopes,
    keys: createKeySet({ fetchKeys, clock, freshSeconds: keysFreshSeconds, keptSeconds: keysKeptSeconds }),
    findEndpoint,
    networks,
  }
}
