import {
  createAuthorizationServer,
  type AuthorizationServer,
  type IdentityEvents,
  type IdentityRegistry,
  type ProofVerifier,
  type TokenGrant,
} from '../auth/index.ts'
import type { Config } from '../config/index.ts'
import type { GuardedFetch } from '../egress/index.ts'
import { errorPage } from '../http/index.ts'
import type { Clock } from '../kernel/index.ts'
import type { Storage } from '../storage/index.ts'
import type { Log } from './log.ts'

/** What the authorization server is started with. */
export interface StartAuthorizationServerParts {
  readonly config: Config['auth']
  readonly storage: Storage
  readonly registry: IdentityRegistry
  readonly events: IdentityEvents
  readonly fetch: GuardedFetch
  readonly proofs: ProofVerifier
  readonly grants: readonly TokenGrant[]
  /** Whether clients can show certificates. */
  readonly bindsToCertificates: boolean
  readonly clock: Clock
  readonly log: Log
}

const tendEveryMs = 60_000

/** The running authorization server, and what ends its housekeeping. */
export interface RunningAuthorizationServer {
  readonly server: AuthorizationServer
  close(): Promise<void>
}

/**
 * Starts the embedded authorization server with its housekeeping; `null` where it is configured away.
 * @throws McpworksError `storage_unavailable`
 */
export async function startAuthorizationServer(
  parts: StartAuthorizationServerParts,
): Promise<RunningAuthorizationServer | null> {
  const { config, storage, registry, events, fetch, proofs, grants, bindsToCertificates, clock, log } = parts
  if (!config.server.enabled) return null
  const server = await createAuthorizationServer({
    config: config.server,
    store: storage.authorizations,
    clientStore: storage.oauthClients,
    keyStore: storage.signingKeys,
    masterKey: storage.masterKey,
    registry,
    events,
    clock,
    fetch,
    proofs,
    requireDpopNonce: config.dpop.nonce === 'required',
    bindsToCertificates,
    grants,
    errorPage,
    reportIncident: (where, error) => log.error({ where, err: error }, 'the authorization server broke'),
  })
  const tend = (): Promise<void> =>
    server.tend().catch((error: unknown) => log.error({ err: error }, 'the authorization server could not be tended'))
  const timer = setInterval(() => void tend(), tendEveryMs)
  timer.unref()
  await tend()
  return { server, close: async () => clearInterval(timer) }
}
