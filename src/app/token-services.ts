import {
  createMemoryProofReplayStore,
  createProofNonces,
  createProofVerifier,
  createResourceServer,
  createSharedProofReplayStore,
  refreshCaller,
  type CredentialVerifier,
  type IdentityRegistry,
  type LocalKeys,
  type MasterKey,
  type ProofVerifier,
  type Sessions,
} from '../auth/index.ts'
import type { Config } from '../config/index.ts'
import type { GuardedFetch } from '../egress/index.ts'
import type { Caller, Clock } from '../kernel/index.ts'
import type { Storage } from '../storage/index.ts'

/** What verifying tokens stands on. */
export interface TokenServicesParts {
  readonly config: Config['auth']
  readonly proofs: ProofVerifier
  readonly registry: IdentityRegistry
  readonly sessions: Pick<Sessions, 'findById'>
  /** Keys of the embedded authorization server; `null` where there is none. */
  readonly localKeys: LocalKeys | null
  readonly guardedFetch: GuardedFetch
  readonly masterKey: MasterKey
  readonly clock: Clock
}

/** What verifies access tokens. */
export interface TokenServices {
  readonly verifier: CredentialVerifier
  /** The caller as it is now, `null` once its credential is no good any more. */
  refresh(caller: Caller): Caller | null
}

/**
 * What verifies DPoP proofs. Each call makes a memory of used proofs of its own where that is in memory: strangers can
 * fill that of the token endpoint, which must not shut out those who use tokens. No proof is good at both (`htu`).
 */
export function createProofs(
  dpop: Config['auth']['dpop'],
  storage: Pick<Storage, 'usedAssertions' | 'masterKey'>,
  clock: Clock,
): ProofVerifier {
  return createProofVerifier({
    replay:
      dpop.replay === 'memory'
        ? createMemoryProofReplayStore(clock, dpop.maxRemembered)
        : createSharedProofReplayStore(storage.usedAssertions, clock),
    nonces:
      dpop.nonce === 'required'
        ? createProofNonces(storage.masterKey.derive('dpop nonce'), dpop.nonceSeconds, clock)
        : null,
    clock,
  })
}

/** Composes the resource server as configured. */
export function createTokenServices(parts: TokenServicesParts): TokenServices {
  const { config, proofs, registry, localKeys, guardedFetch, clock } = parts
  const { issuers, introspection, tokens } = config
  const verifier = createResourceServer({
    registry,
    localKeys,
    proofs,
    issuers,
    introspection,
    tokens,
    guardedFetch,
    tokenIdKey: parts.masterKey.derive('token id in records'),
    clock,
  })
  const isRevoked = (tokenId: string): boolean => localKeys?.isRevoked(tokenId) ?? false
  return {
    verifier,
    refresh: (caller) => refreshCaller(registry, parts.sessions, caller, clock.nowMs(), isRevoked),
  }
}
