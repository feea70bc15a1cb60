import type { Authenticator, CredentialUse, IdentityRegistry } from '../auth/index.ts'
import type { Clock } from '../kernel/index.ts'

/** The same authenticator, which notes the use of each credential of the registry that was good. */
export function noteUse(
  authenticator: Authenticator,
  use: Pick<CredentialUse, 'note'>,
  registry: Pick<IdentityRegistry, 'kindOf'>,
  clock: Clock,
): Authenticator {
  return {
    async authenticate(presented) {
      const result = await authenticator.authenticate(presented)
      if (!result.ok) return result
      const { credentialId } = result.caller.authentication
      // Sessions come and go: each would leave a row behind.
      if (registry.kindOf(credentialId) !== null) use.note(credentialId, clock.nowMs())
      return result
    },
  }
}
