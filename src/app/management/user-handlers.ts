import type { IdentityRegistry, People, StoredPrincipal } from '../../auth/index.ts'
import { authenticationFacts, type Invocation } from '../../gateway/index.ts'
import { createTurns, McpworksError, type Clock, type JsonObject } from '../../kernel/index.ts'
import type { PolicyEngine } from '../../policy/index.ts'
import { platformNamespace } from '../namespaces.ts'
import { operatorName } from '../operator.ts'
import type { Handlers } from './handler.ts'

type UserHandlers = Pick<
  Handlers,
  'user.list' | 'user.add' | 'user.set-roles' | 'user.disable' | 'user.enable' | 'user.revoke' | 'user.link'
>

/** What the user handlers stand on. */
export interface UserHandlerPorts {
  readonly registry: IdentityRegistry
  readonly people: Pick<People, 'sessions' | 'factors' | 'links'>
  readonly policy: Pick<PolicyEngine, 'decide'>
  /** The address under which a link is opened. */
  readonly linkUrl: (token: string) => string
  readonly clock: Clock
}

/**
 * Users and their roles. Whether somebody may give or take a role is one more question to policy, about the operation
 * `role.NAME` in the namespace of the role: nobody gives what policy does not let them give, and nobody changes a user
 * who holds such a role. The last owner stays one.
 */
export function userHandlers(ports: UserHandlerPorts): UserHandlers {
  const { registry } = ports
  const { sessions, factors, links } = ports.people
  // Two owners who take the role from each other at once must not both succeed.
  const turns = createTurns()
  const oneByOne = (work: () => Promise<JsonObject>): Promise<JsonObject> => turns('users', work)

  const shown = (user: StoredPrincipal): JsonObject => {
    const { passkeys, hasPassword, accounts } = factors.of(user.id)
    return {
      id: user.id,
      roles: [...user.groups],
      createdAtMs: user.createdAtMs,
      disabledAtMs: user.disabledAtMs,
      revokedAtMs: user.revokedAtMs,
      passkeys: passkeys.length,
      password: hasPassword,
      accounts: accounts.map(({ issuer }) => issuer),
      sessions: sessions.list(user.id).length,
    }
  }

  const linkFor = async (userId: string, { caller }: Invocation): Promise<JsonObject> => {
    const { token, expiresAtMs } = await links.make(userId, caller.principal.id)
    return { link: ports.linkUrl(token), linkExpiresAtMs: expiresAtMs }
  }

  const change = (name: string, invocation: Invocation): StoredPrincipal => {
    const user = findUser(registry, name)
    requireMayGive(user.groups, invocation, ports)
    return user
  }

  return {
    'user.list': async () => ({ users: registry.listUsers().map(shown) }),
    'user.add': ({ user, roles }, invocation) =>
      oneByOne(async () => {
        requireMayGive(roles, invocation, ports)
        const added = await registry.addUser(user, roles)
        return { user: shown(added), ...(await linkFor(added.id, invocation)) }
      }),
    'user.set-roles': ({ user: name, roles }, invocation) =>
      oneByOne(async () => {
        const user = findUser(registry, name)
        requireMayGive(symmetricDifference(user.groups, roles), invocation, ports)
        if (user.groups.includes('owner')) requireMayGive(['owner'], invocation, ports)
        if (!roles.includes('owner')) refuseLastOwner(user, registry)
        await registry.setGroups(user.id, roles)
        return { user: shown(findUser(registry, name)) }
      }),
    'user.disable': ({ user: name }, invocation) =>
      oneByOne(async () => {
        const user = change(name, invocation)
        refuseLastOwner(user, registry)
        await registry.update(user.id, { disabledAtMs: user.disabledAtMs ?? ports.clock.nowMs() })
        await sessions.endAll(user.id, 'the user was disabled', invocation.caller.client.address)
        return { user: shown(findUser(registry, name)) }
      }),
    'user.enable': ({ user: name }, invocation) =>
      oneByOne(async () => {
        const user = change(name, invocation)
        await registry.update(user.id, { disabledAtMs: null })
        return { user: shown(findUser(registry, name)) }
      }),
    'user.revoke': ({ user: name }, invocation) =>
      oneByOne(async () => {
        const user = change(name, invocation)
        refuseLastOwner(user, registry)
        await registry.revokePrincipal(user.id)
        await sessions.endAll(user.id, 'the user was revoked', invocation.caller.client.address)
        return { revoked: user.id }
      }),
    'user.link': ({ user: name }, invocation) =>
      oneByOne(async () => {
        const user = change(name, invocation)
        if (user.disabledAtMs !== null)
          throw new McpworksError('invalid_request', {
            message: `User ${name} is disabled: mcpworks user enable ${name}`,
          })
        return { user: user.id, ...(await linkFor(user.id, invocation)) }
      }),
  }
}

/** @throws McpworksError `denied` */
function requireMayGive(
  roles: readonly string[],
  { caller }: Invocation,
  { policy, clock }: Pick<UserHandlerPorts, 'policy' | 'clock'>,
): void {
  const nowMs = clock.nowMs()
  const { authentication, principal, client } = caller
  for (const role of roles) {
    const [namespace, name] = role.includes('/') ? (role.split('/') as [string, string]) : [platformNamespace, role]
    const decision = policy.decide({
      principal,
      action: 'manage',
      resource: { type: 'Namespace', id: namespace, namespace, service: null },
      arguments: {},
      context: {
        authentication: authenticationFacts(authentication, nowMs),
        door: 'management',
        operation: `role.${name}`,
        labels: [],
        timeMs: nowMs,
        address: client.address,
      },
    })
    if (decision.effect === 'allow') continue
    const [rule] = decision.determining
    throw new McpworksError('denied', {
      message: `You may not give or take the role ${role}, or change who holds it${rule?.reason == null ? '' : `: ${rule.reason}`}`,
    })
  }
}

function findUser(registry: IdentityRegistry, name: string): StoredPrincipal {
  const user = registry.findPrincipal(name)
  if (user === null || user.type !== 'user' || user.revokedAtMs !== null)
    throw new McpworksError('unknown_object', { message: `There is no user ${name}.` })
  return user
}

/** Where the last owner was gone, only this machine's own key could bring one back. */
function refuseLastOwner(user: StoredPrincipal, registry: IdentityRegistry): void {
  if (user.id === operatorName) {
    throw new McpworksError('invalid_request', {
      message: `${operatorName} is this machine's own user: commands of whoever runs the server act as it.`,
    })
  }
  const isActiveOwner = ({ id, groups, disabledAtMs, revokedAtMs }: StoredPrincipal): boolean =>
    id !== operatorName && groups.includes('owner') && disabledAtMs === null && revokedAtMs === null
  if (!isActiveOwner(user)) return
  if (registry.listUsers().some((other) => other.id !== user.id && isActiveOwner(other))) return
  throw new McpworksError('invalid_request', {
    message: `${user.id} is the last owner. Make another one first: mcpworks user add NAME --role owner`,
  })
}

function symmetricDifference(before: readonly string[], after: readonly string[]): string[] {
  const [left, right] = [new Set(before), new Set(after)]
  return [...left.symmetricDifference(right)]
}
