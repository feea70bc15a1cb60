import type { IdentityRegistry } from '../identity-registry.ts'
import type { Factors } from './factors.ts'
import type { Passwords } from './passwords.ts'
import type { SignInLimits } from './sign-in-limits.ts'

/** Whose password it is, or why nobody is let in: for the record, not for whoever tries. */
export type PasswordResult =
  | { readonly ok: true; readonly userId: string }
  | {
      readonly ok: false
      readonly reason: string
      /** The user whose name was given, where there is one. */
      readonly userId: string | null
      /** Above 0 where there were too many attempts; the password was not looked at then. */
      readonly waitSeconds: number
    }

/** What it stands on. */
export interface PasswordSignInPorts {
  readonly registry: Pick<IdentityRegistry, 'findActivePrincipal'>
  readonly factors: Factors
  readonly passwords: Passwords
  readonly limits: SignInLimits
}

/**
 * Checks a name and a password. The work is the same for a name that is not there, one without a password, one that is
 * disabled and a wrong password, so that neither time nor answer tells which it was.
 * @throws McpworksError `overloaded`
 */
export async function checkPassword(
  name: string,
  password: string,
  address: string,
  { registry, factors, passwords, limits }: PasswordSignInPorts,
): Promise<PasswordResult> {
  const user = registry.findActivePrincipal(name)
  const userId = user?.type === 'user' ? user.id : null
  const { waitSeconds } = limits.begin(name, address)
  if (waitSeconds > 0) return { ok: false, reason: 'too many attempts', userId, waitSeconds }
  const isRight = await passwords.verify(password, userId === null ? null : factors.passwordHash(userId))
  if (!isRight || userId === null) return { ok: false, reason: 'a wrong name or password', userId, waitSeconds: 0 }
  limits.succeeded(name, address)
  return { ok: true, userId }
}
