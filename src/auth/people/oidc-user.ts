import { isName, type JsonObject } from '../../kernel/index.ts'
import type { IdentityEvents } from '../identity-events.ts'
import type { IdentityRegistry } from '../identity-registry.ts'
import { randomId } from '../random-id.ts'
import type { OidcConfig } from './config.ts'
import type { Factors } from './factors.ts'
import type { OidcIdentity } from './oidc-sign-in.ts'

/** The user whom an issuer's account stands for, or why nobody is let in. */
export type OidcUser = { readonly ok: true; readonly userId: string } | { readonly ok: false; readonly reason: string }

/** What it stands on. */
export interface OidcUserPorts {
  readonly config: OidcConfig
  readonly registry: IdentityRegistry
  readonly factors: Factors
  readonly events: Pick<IdentityEvents, 'record'>
}

/**
 * The user of an account: the one that exactly this issuer and subject is linked to. An e-mail address or a name leads
 * to nobody, because whoever may choose those at the issuer would choose the user. Users that the issuer brought have
 * the roles of their groups, set anew each time; those that were added here keep their own.
 */
export async function oidcUser(
  { issuer, subject, claims }: OidcIdentity,
  address: string,
  { config, registry, factors, events }: OidcUserPorts,
): Promise<OidcUser> {
  if (!domainAllowed(claims, config.allowedDomains))
    return { ok: false, reason: 'an e-mail address of no allowed domain' }
  const roles = rolesOf(claims, config)
  const account = factors.findAccount(issuer, subject)
  if (account === null) {
    if (!config.createUsers) return { ok: false, reason: 'an account that is linked to no user' }
    if (roles.length === 0) return { ok: false, reason: 'an account in no group that gives a role' }
    const name = freeName(claims, registry)
    await events.record(eventOf('user-added', name, address, { roles, issuer }))
    await registry.addUser(name, roles)
    await factors.linkAccount({ issuer, subject, userId: name, rolesFollow: true }, address)
    return { ok: true, userId: name }
  }
  const user = registry.findActivePrincipal(account.userId)
  if (user === null || user.type !== 'user') return { ok: false, reason: 'an account of a user who is disabled' }
  if (!account.rolesFollow) return { ok: true, userId: user.id }
  if (roles.join(' ') !== user.groups.join(' ')) {
    await events.record(eventOf('roles-changed', user.id, address, { roles, before: [...user.groups], issuer }))
    await registry.setGroups(user.id, roles)
  }
  return roles.length === 0
    ? { ok: false, reason: 'an account in no group that gives a role' }
    : { ok: true, userId: user.id }
}

function eventOf(type: 'user-added' | 'roles-changed', principalId: string, address: string, facts: JsonObject) {
  return { type, namespace: null, principalId, credentialId: null, address, facts } as const
}

function domainAllowed({ email, email_verified }: JsonObject, allowed: readonly string[]): boolean {
  if (allowed.length === 0) return true
  if (typeof email !== 'string' || email_verified !== true) return false
  const domain = email.slice(email.lastIndexOf('@') + 1).toLowerCase()
  return email.includes('@') && allowed.includes(domain)
}

/** Sorted, each once, as the registry keeps them. */
function rolesOf(claims: JsonObject, { groupsClaim, roles }: OidcConfig): string[] {
  const value = Object.hasOwn(claims, groupsClaim) ? claims[groupsClaim] : undefined
  const groups = new Set(Array.isArray(value) ? value : [value])
  const given = roles.filter((rule) => groups.has(rule.slice(0, rule.lastIndexOf('='))))
  return [...new Set(given.map((rule) => rule.slice(rule.lastIndexOf('=') + 1)))].sort()
}

/** A name made of what the issuer calls the person. Never one that was given out before. */
function freeName({ preferred_username, email }: JsonObject, registry: IdentityRegistry): string {
  const called = [preferred_username, email].find((value) => typeof value === 'string') ?? ''
  const plain = called
    .split('@', 1)[0]
    ?.toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^[^a-z]+|-+$/g, '')
    .slice(0, 30)
    .replace(/-+$/, '')
  const wished = plain !== undefined && isName(plain) ? plain : 'user'
  const names = [wished, ...Array.from({ length: 20 }, (_, at) => `${wished}-${at + 2}`)]
  return names.find((name) => isName(name) && registry.findPrincipal(name) === null) ?? `user-${randomId()}`
}
