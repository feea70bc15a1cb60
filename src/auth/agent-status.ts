import type { StoredPrincipal } from './credential-store.ts'

/** `disabled` can be undone, `revoked` cannot. */
export type AgentStatus = 'active' | 'disabled' | 'revoked'

/** What an agent is by itself. Whether its namespace is closed is another question. */
export function agentStatus({ disabledAtMs, revokedAtMs }: StoredPrincipal): AgentStatus {
  if (revokedAtMs !== null) return 'revoked'
  return disabledAtMs === null ? 'active' : 'disabled'
}
