import {
  createCredentialUse,
  createIdentityRegistry,
  createNamespaceClosures,
  createPeople,
  trustIssuers,
  type LocalKeys,
} from '../auth/index.ts'
import type { Config } from '../config/index.ts'
import type { GuardedFetch } from '../egress/index.ts'
import type { Clock } from '../kernel/index.ts'
import type { Storage } from '../storage/index.ts'
import { createDoorRecords } from './door-records.ts'
import { createIdentityRecords } from './identity-records.ts'
import type { Log } from './log.ts'
import { startAuthorizationServer, type RunningAuthorizationServer } from './start-authorization-server.ts'
import { createProofs } from './token-services.ts'
import { createWorkloadGrants } from './workload-grants.ts'

/** What identity stands on. */
export interface IdentityParts {
  readonly storage: Storage
  readonly config: Config
  readonly guardedFetch: GuardedFetch
  readonly clock: Clock
  readonly log: Log
  /** Gets what ends each part that is opened here, in the order of opening. */
  readonly opened: (() => Promise<void>)[]
}

/** Everything by which is known who calls: agents and their credentials, people, the authorization server, workloads. */
export async function openIdentity({ storage, config, guardedFetch, clock, log, opened }: IdentityParts) {
  const closures = await createNamespaceClosures(storage.closures, clock)
  const registry = await createIdentityRegistry(storage.credentials, clock, closures)
  const use = await createCredentialUse(storage.credentialUses, (error) =>
    log.error({ err: error }, 'when credentials were last used could not be written'),
  )
  opened.push(() => use.close())
  const doorRecords = createDoorRecords(storage.decisionLog, clock, log)
  opened.push(() => doorRecords.close())
  const identityEvents = createIdentityRecords(storage.decisionLog, doorRecords, clock)
  const people = await createPeople({
    fetch: guardedFetch,
    sessionStore: storage.sessions,
    factorStore: storage.factors,
    registry,
    events: identityEvents,
    clock,
    config: config.auth.people,
  })
  const workloadIssuers = trustIssuers(config.auth.workload.issuers).issuers
  const localKeys: LocalKeys = {
    find: (kid) => authorization?.server.keys.find(kid) ?? null,
    isRevoked: (tokenId) => authorization?.server.keys.isRevoked(tokenId) ?? true,
  }
  const authorization: RunningAuthorizationServer | null = await startAuthorizationServer({
    config: config.auth,
    storage,
    registry,
    events: identityEvents,
    fetch: guardedFetch,
    proofs: createProofs(config.auth.dpop, storage, clock),
    grants: createWorkloadGrants({
      config: config.auth,
      issuers: workloadIssuers,
      storage,
      registry,
      localKeys,
      guardedFetch,
      clock,
    }),
    bindsToCertificates: config.http.tls.clientCertificates !== 'off',
    clock,
    log,
  })
  opened.push(async () => authorization?.close())
  return { closures, registry, use, doorRecords, identityEvents, people, workloadIssuers, authorization }
}
