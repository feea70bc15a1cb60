import type { JsonObject } from '../../kernel/index.ts'

/** Kinds of issuer with rules of their own. */
export type IssuerPreset = 'generic' | 'kubernetes' | 'github-actions' | 'spiffe'

/** Where the keys of an issuer come from. */
export type IssuerKeys =
  | { readonly from: 'discovery' }
  | { readonly from: 'jwks'; readonly url: string }
  | { readonly from: 'inline'; readonly keys: readonly JsonObject[] }

/**
 * An issuer whose assertions are believed. That it is trusted says who is asking and gives nobody anything: what its
 * workloads may have is said by bindings.
 */
export interface WorkloadIssuer {
  /** `iss`, compared exactly. */
  readonly issuer: string
  readonly preset: IssuerPreset
  /** `workload`: the platform's own assertions. `id-jag`: identity assertions about people, for a client. */
  readonly accepts: readonly ('workload' | 'id-jag')[]
  readonly keys: IssuerKeys
  /** Asymmetric JWS algorithms. */
  readonly algorithms: readonly string[]
  /** Whether each assertion is taken once only. Those about people always are. */
  readonly singleUse: boolean
  readonly maxLifetimeSeconds: number
  /** Audiences besides the token endpoint and the issuer identifier of this server. */
  readonly audiences: readonly string[]
  /** Networks that may be reached for its keys though they are not public. */
  readonly networks: readonly string[]
  /** Only with SPIFFE. */
  readonly trustDomain: string | null
}
