import { agentStatus, type CredentialUse, type IdentityRegistry, type StoredPrincipal } from '../../auth/index.ts'
import type { JsonObject } from '../../kernel/index.ts'

/** What views of agents and credentials are made from. */
export interface AgentViewPorts {
  readonly registry: IdentityRegistry
  readonly use: Pick<CredentialUse, 'lastUsed'>
  readonly nowMs: number
}

/** An agent as lists show it. `lastUsedAtMs` is that of its credential used last. */
export function agentView(agent: StoredPrincipal, ports: AgentViewPorts): JsonObject {
  const uses = credentialIds(agent.id, ports.registry).map((id) => ports.use.lastUsed(id) ?? -1)
  const lastUsedAtMs = Math.max(-1, ...uses)
  return {
    id: agent.id,
    name: agent.name,
    namespace: agent.namespace,
    status: agentStatus(agent),
    owner: agent.ownerId,
    groups: [...agent.groups],
    senderConstrainedOnly: agent.senderConstrainedOnly,
    createdAtMs: agent.createdAtMs,
    disabledAtMs: agent.disabledAtMs,
    revokedAtMs: agent.revokedAtMs,
    lastUsedAtMs: lastUsedAtMs < 0 ? null : lastUsedAtMs,
  }
}

/** Everything that an agent can enter with, of all kinds alike, oldest first. */
export function credentialViews(agent: StoredPrincipal, { registry, use, nowMs }: AgentViewPorts): JsonObject[] {
  const keys = registry.listKeys(agent.id).map((key) => ({ ...key, kind: 'api-key' as const }))
  return [...keys, ...registry.listCredentials(agent.id)]
    .toSorted((a, b) => a.createdAtMs - b.createdAtMs || (a.id < b.id ? -1 : 1))
    .map((credential) => ({
      id: credential.id,
      kind: credential.kind,
      agent: agent.id,
      label: credential.label,
      scopes: [...credential.scopes],
      createdAtMs: credential.createdAtMs,
      expiresAtMs: credential.expiresAtMs,
      revokedAtMs: credential.revokedAtMs,
      lastUsedAtMs: use.lastUsed(credential.id),
      status: credentialStatus(credential, nowMs),
    }))
}

/** Of the credential by itself: one of a disabled agent is `active` and refused all the same. */
function credentialStatus(
  { revokedAtMs, expiresAtMs }: { readonly revokedAtMs: number | null; readonly expiresAtMs: number | null },
  nowMs: number,
): 'active' | 'expired' | 'revoked' {
  if (revokedAtMs !== null) return 'revoked'
  return expiresAtMs !== null && expiresAtMs <= nowMs ? 'expired' : 'active'
}

function credentialIds(agentId: string, registry: IdentityRegistry): string[] {
  return [...registry.listKeys(agentId), ...registry.listCredentials(agentId)].map(({ id }) => id)
}
