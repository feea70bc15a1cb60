import {
  createIssuerKeys,
  createJwtBearerGrant,
  createReadOwnToken,
  createTokenExchangeGrant,
  createVerifyAssertion,
  type IdentityRegistry,
  type LocalKeys,
  type TokenGrant,
  type WorkloadIssuer,
} from '../auth/index.ts'
import type { Config } from '../config/index.ts'
import type { GuardedFetch } from '../egress/index.ts'
import type { Clock } from '../kernel/index.ts'
import type { Storage } from '../storage/index.ts'

/** What the grants of workloads stand on. */
export interface WorkloadGrantsParts {
  readonly config: Config['auth']
  readonly issuers: readonly WorkloadIssuer[]
  readonly storage: Pick<Storage, 'usedAssertions'>
  readonly registry: IdentityRegistry
  /** Keys of the authorization server that the grants are for. */
  readonly localKeys: LocalKeys
  readonly guardedFetch: GuardedFetch
  readonly clock: Clock
}

/** The grants that need no client of their own: assertions, where an issuer is trusted, and token exchange. */
export function createWorkloadGrants(parts: WorkloadGrantsParts): TokenGrant[] {
  const { config, issuers, storage, registry, localKeys, guardedFetch, clock } = parts
  const exchange = createTokenExchangeGrant({
    readToken: createReadOwnToken({ keys: localKeys, registry, clock }),
    registry,
    clock,
    maxActors: config.workload.maxActors,
  })
  if (issuers.length === 0) return [exchange]
  const keysOf = createIssuerKeys(issuers, { tokens: config.tokens, guardedFetch, clock })
  const assertion = createJwtBearerGrant({
    verify: createVerifyAssertion({ issuers, keysOf, clock }),
    registry,
    used: storage.usedAssertions,
    clock,
    takesIdentities: issuers.some(({ accepts }) => accepts.includes('id-jag')),
  })
  return [assertion, exchange]
}
