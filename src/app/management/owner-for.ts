import type { IdentityRegistry } from '../../auth/index.ts'
import { McpworksError, type Caller } from '../../kernel/index.ts'

/**
 * The user who is to answer for an agent: the one that is named, else the caller where it is a user.
 * @throws McpworksError `unknown_object` where there is no such user
 */
export function ownerFor(registry: IdentityRegistry, named: string | undefined, caller: Caller | null): string | null {
  if (named === undefined) return caller?.principal.type === 'user' ? caller.principal.id : null
  const user = registry.findPrincipal(named)
  if (user?.type === 'user' && user.revokedAtMs === null) return user.id
  throw new McpworksError('unknown_object', { message: `There is no user ${named} to own an agent.` })
}
