import type { GuardedFetch } from '../../egress/index.ts'
import type { Clock } from '../../kernel/index.ts'
import type { IdentityEvents } from '../identity-events.ts'
import type { IdentityRegistry } from '../identity-registry.ts'
import type { PeopleConfig } from './config.ts'
import type { FactorStore } from './factor-store.ts'
import { createFactors, type Factors } from './factors.ts'
import { createOidcSignIn, type OidcIdentity, type OidcSignIn } from './oidc-sign-in.ts'
import { oidcUser, type OidcUser } from './oidc-user.ts'
import { createOneTimeLinks, type OneTimeLinks } from './one-time-links.ts'
import { createPasskeys, type Passkeys } from './passkeys.ts'
import { checkPassword, type PasswordResult } from './password-sign-in.ts'
import { createPasswords, type Passwords } from './passwords.ts'
import type { SessionStore } from './session-store.ts'
import { createSessions, type Sessions } from './sessions.ts'
import { createSignInLimits } from './sign-in-limits.ts'
import { createSignIn, type SignIn } from './sign-in.ts'

/** People: their sessions, what they sign in with, and the ceremonies by which they do. */
export interface People {
  readonly config: PeopleConfig
  readonly sessions: Sessions
  readonly factors: Factors
  readonly links: OneTimeLinks
  readonly signIn: SignIn
  readonly passkeys: Passkeys
  /** `null` where no issuer is configured. */
  readonly oidc: OidcSignIn | null
  oidcUser(identity: OidcIdentity, address: string): Promise<OidcUser>
  readonly passwords: Pick<Passwords, 'hash'>
  readonly registry: IdentityRegistry
  readonly events: IdentityEvents
  /** @throws McpworksError `overloaded` */
  checkPassword(name: string, password: string, address: string): Promise<PasswordResult>
  /** Whether there is a user who has something to sign in with and may. */
  anybodyCanSignIn(): boolean
}

/** What people stand on. */
export interface PeoplePorts {
  readonly sessionStore: SessionStore
  readonly factorStore: FactorStore
  readonly registry: IdentityRegistry
  readonly events: IdentityEvents
  readonly fetch: GuardedFetch
  readonly clock: Clock
  readonly config: PeopleConfig
}

/** Loads sessions and factors and puts the parts together. */
export async function createPeople(ports: PeoplePorts): Promise<People> {
  const { registry, events, clock, config } = ports
  const sessions = await createSessions({ store: ports.sessionStore, registry, events, clock, config })
  const factors = await createFactors({ store: ports.factorStore, events, clock })
  const { issuer, clientId } = config.oidc
  const passwords = createPasswords()
  const limits = createSignInLimits(clock)
  return {
    config,
    registry,
    events,
    sessions,
    factors,
    links: createOneTimeLinks({ store: ports.factorStore, events, clock, config }),
    signIn: createSignIn(sessions),
    passkeys: createPasskeys(factors, clock),
    passwords,
    oidc:
      issuer === null || clientId === null
        ? null
        : createOidcSignIn({ config: { ...config.oidc, issuer, clientId }, fetch: ports.fetch, clock }),
    oidcUser: (identity, address) => oidcUser(identity, address, { config: config.oidc, registry, factors, events }),
    checkPassword: (name, password, address) =>
      checkPassword(name, password, address, { registry, factors, passwords, limits }),
    anybodyCanSignIn: () =>
      registry.listUsers().some(({ id }) => registry.findActivePrincipal(id) !== null && factors.canSignIn(id)),
  }
}
