import type { Clock } from '../../kernel/index.ts'
import type { IdentityEvents } from '../identity-events.ts'
import type { IdentityRegistry } from '../identity-registry.ts'
import type { PeopleConfig } from './config.ts'
import type { FactorStore } from './factor-store.ts'
import { createFactors, type Factors } from './factors.ts'
import { createOneTimeLinks, type OneTimeLinks } from './one-time-links.ts'
import type { SessionStore } from './session-store.ts'
import { createSessions, type Sessions } from './sessions.ts'
import { createSignIn, type SignIn } from './sign-in.ts'

/** People: their sessions, what they sign in with, and the ceremonies by which they do. */
export interface People {
  readonly config: PeopleConfig
  readonly sessions: Sessions
  readonly factors: Factors
  readonly links: OneTimeLinks
  readonly signIn: SignIn
  /** Whether there is a user who has something to sign in with and may. */
  anybodyCanSignIn(): boolean
}

/** What people stand on. */
export interface PeoplePorts {
  readonly sessionStore: SessionStore
  readonly factorStore: FactorStore
  readonly registry: IdentityRegistry
  readonly events: IdentityEvents
  readonly clock: Clock
  readonly config: PeopleConfig
}

/** Loads sessions and factors and puts the parts together. */
export async function createPeople(ports: PeoplePorts): Promise<People> {
  const { registry, events, clock, config } = ports
  const sessions = await createSessions({ store: ports.sessionStore, registry, events, clock, config })
  const factors = await createFactors({ store: ports.factorStore, events, clock })
  return {
    config,
    sessions,
    factors,
    links: createOneTimeLinks({ store: ports.factorStore, events, clock, config }),
    signIn: createSignIn(sessions),
    anybodyCanSignIn: () =>
      registry.listUsers().some(({ id }) => registry.findActivePrincipal(id) !== null && factors.canSignIn(id)),
  }
}
