import { randomUUID } from 'node:crypto'
import {
  createApiKeyVerifier,
  createAuthenticator,
  createIdentityRegistry,
  createMemoryProofReplayStore,
  createProofNonces,
  createProofVerifier,
  createResourceServer,
  refreshCaller,
  type IdentityRegistry,
  type StoredCredential,
} from '../../src/auth/index.ts'
import { authConfigSchema } from '../../src/auth/config.ts'
import { createGuardedFetch } from '../../src/egress/index.ts'
import type { HttpConfig } from '../../src/http/index.ts'
import type { Clock, Scope } from '../../src/kernel/index.ts'
import { echoEntry } from './echo-entries.ts'
import { startHarness, type Harness, type RawAnswer } from './http-harness.ts'
import { createJwsSigner, dpopProof, type JwsSigner, type ProofWishes, type Wishes } from './jws-signer.ts'
import { createMemoryCredentialStore } from './memory-credential-store.ts'
import { callModern } from './mcp-messages.ts'

/** A server of ours over real HTTP whose door is the real one, with keys of an authorization server of its own. */
export interface TokenDoor {
  readonly harness: Harness
  readonly url: string
  readonly registry: IdentityRegistry
  /** What the embedded authorization server would sign by. */
  readonly signer: JwsSigner
  /** Moves the clock of the server. */
  readonly clock: Clock & { offsetMs: number }
  /** `jti` of revoked tokens. */
  readonly revoked: Set<string>
  /** The credential of `demo/analyst` that own tokens are issued under. */
  readonly credential: StoredCredential
  /** A good access token for `demo/analyst`, changed by the wishes. */
  token(claims?: Wishes, header?: Wishes, signer?: JwsSigner): string
  proof(key: JwsSigner, token: string | null, wishes?: ProofWishes): string
  /** Calls the tool `echo` of `demo` with these values of `Authorization` and `DPoP`. */
  call(authorization: string | null, dpop?: string | null): Promise<RawAnswer>
  close(): Promise<void>
}

/** Starts it with settings of `auth` and `http`. The namespaces `demo` and `other` have an agent `analyst` each. */
export async function startTokenDoor(settings: object = {}, http: Partial<HttpConfig> = {}): Promise<TokenDoor> {
  const config = authConfigSchema.parse(settings)
  const clock = {
    offsetMs: 0,
    nowMs: () => Date.now() + clock.offsetMs,
    monotonicMs: () => performance.now() + clock.offsetMs,
  }
  const registry = await createIdentityRegistry(createMemoryCredentialStore(), clock)
  for (const namespace of ['demo', 'other']) await registry.addAgent(namespace, 'analyst', [])
  const credential = await addCredential(registry, 'client', {})
  const signer = createJwsSigner()
  const revoked = new Set<string>()
  const { dpop, issuers, introspection, tokens } = config
  const localKeys = {
    find: (kid: string) => (kid === 'own' ? { algorithm: 'ES256' as const, publicKey: signer.publicKey } : null),
    isRevoked: (tokenId: string) => revoked.has(tokenId),
  }
  const proofs = createProofVerifier({
    replay: createMemoryProofReplayStore(clock, dpop.maxRemembered),
    nonces: dpop.nonce === 'off' ? null : createProofNonces(Buffer.alloc(32, 7), dpop.nonceSeconds, clock),
    clock,
  })
  const verifier = createResourceServer({
    registry,
    localKeys,
    proofs,
    issuers,
    introspection,
    tokens,
    guardedFetch: createGuardedFetch(),
    tokenIdKey: Buffer.alloc(32, 8),
    clock,
  })
  const harness = await startHarness({
    entries: [echoEntry()],
    config: http,
    clock,
    door: {
      authenticator: createAuthenticator([createApiKeyVerifier(registry), verifier]),
      refresh: (caller) =>
        refreshCaller(registry, { findById: () => null }, caller, clock.nowMs(), localKeys.isRevoked),
      authorizationServers: (publicUrl) => [publicUrl, ...issuers.map(({ issuer }) => issuer)],
    },
  })
  const { port } = harness
  const url = http.publicUrl ?? harness.url
  const nowSeconds = (): number => Math.floor(clock.nowMs() / 1000)
  return {
    harness,
    url,
    registry,
    signer,
    clock,
    revoked,
    credential,
    token: (claims = {}, header = {}, by = signer) =>
      by.sign(
        { typ: 'at+jwt', kid: 'own', ...header },
        {
          iss: url,
          sub: 'demo/analyst',
          aud: `${url}/mcp/demo`,
          client_id: 'client',
          scope: 'mcp',
          jti: randomUUID(),
          iat: nowSeconds(),
          exp: nowSeconds() + 300,
          mcpworks_credential: credential.id,
          ...claims,
        },
      ),
    proof: (key, token, wishes) =>
      dpopProof(key, { method: 'POST', url: `${url}/mcp/demo`, token, nowMs: clock.nowMs() }, wishes),
    call: (authorization, dpop = null) =>
      callModern(
        port,
        'tools/call',
        { name: 'echo', arguments: {} },
        { headers: { Authorization: authorization, DPoP: dpop } },
      ),
    close: () => harness.close(),
  }
}

/** Gives `analyst` of a namespace a credential that is no key. */
export function addCredential(
  registry: IdentityRegistry,
  kind: 'client' | 'binding',
  details: StoredCredential['details'],
  scopes: readonly Scope[] = ['mcp', 'admin'],
  namespace = 'demo',
): Promise<StoredCredential> {
  return registry.addCredential(`${namespace}/analyst`, { kind, label: 'test', scopes, expiresAtMs: null, details })
}
