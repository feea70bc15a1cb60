import type { CredentialUse, IdentityEvents, IdentityRegistry, StoredPrincipal } from '../../auth/index.ts'
import type { Invocation } from '../../gateway/index.ts'
import { McpworksError, type Clock, type JsonObject } from '../../kernel/index.ts'
import { agentView, credentialViews, type AgentViewPorts } from './agent-view.ts'
import type { Handlers } from './handler.ts'
import { ownerFor } from './owner-for.ts'

type IdentityHandlers = Pick<
  Handlers,
  | 'agent.list'
  | 'agent.add'
  | 'agent.show'
  | 'agent.set'
  | 'agent.disable'
  | 'agent.enable'
  | 'agent.revoke'
  | 'credential.list'
  | 'credential.revoke'
  | 'key.list'
  | 'key.create'
  | 'key.revoke'
>

/** What the identity handlers stand on. */
export interface IdentityHandlerPorts {
  readonly registry: IdentityRegistry
  readonly use: Pick<CredentialUse, 'lastUsed'>
  readonly events: Pick<IdentityEvents, 'record'>
  readonly clock: Clock
  hasNamespace(name: string): boolean
}

/**
 * Agents and their credentials. Each change is in the decision log before it takes effect: as the operation's own
 * record, and where it takes something from somebody as a `credential` record that names whom.
 */
export function identityHandlers(ports: IdentityHandlerPorts): IdentityHandlers {
  const { registry, clock } = ports
  const view = (): AgentViewPorts => ({ registry, use: ports.use, nowMs: clock.nowMs() })

  function find(namespace: string, agent: string): StoredPrincipal {
    const found = registry.findPrincipal(`${namespace}/${agent}`)
    if (found === null)
      throw new McpworksError('unknown_object', { message: `There is no agent ${namespace}/${agent}.` })
    return found
  }

  async function setDisabled(agent: StoredPrincipal, disabled: boolean, by: Invocation): Promise<JsonObject> {
    if (agent.revokedAtMs !== null)
      throw new McpworksError('unknown_object', { message: `Agent ${agent.id} was revoked, which cannot be undone.` })
    if ((agent.disabledAtMs !== null) !== disabled) {
      await record(ports, disabled ? 'agent-disabled' : 'agent-enabled', agent, by)
      await registry.update(agent.id, { disabledAtMs: disabled ? clock.nowMs() : null })
    }
    return { agent: agentView(registry.findPrincipal(agent.id) ?? agent, view()) }
  }

  return {
    'agent.list': async ({ namespace }) => {
      const parts = view()
      return { agents: registry.listAgents(namespace).map((agent) => agentView(agent, parts)) }
    },
    async 'agent.add'({ namespace, agent, groups, owner, senderConstrainedOnly }, invocation) {
      if (!ports.hasNamespace(namespace)) throw unknownNamespace(namespace)
      const ownerId = ownerFor(registry, owner, invocation.caller)
      const added = await registry.addAgent(namespace, agent, groups, { ownerId, senderConstrainedOnly })
      return { agent: agentView(added, view()) }
    },
    async 'agent.show'({ namespace, agent }) {
      const found = find(namespace, agent)
      return { agent: agentView(found, view()), credentials: credentialViews(found, view()) }
    },
    async 'agent.set'({ namespace, agent, groups, owner, senderConstrainedOnly }, invocation) {
      const found = find(namespace, agent)
      const change = {
        ...(groups === undefined ? {} : { groups }),
        ...(owner === undefined ? {} : { ownerId: owner === null ? null : ownerFor(registry, owner, null) }),
        ...(senderConstrainedOnly === undefined ? {} : { senderConstrainedOnly }),
      }
      await record(ports, 'agent-changed', found, invocation, change)
      return { agent: agentView(await registry.update(found.id, change), view()) }
    },
    'agent.disable': ({ namespace, agent }, invocation) => setDisabled(find(namespace, agent), true, invocation),
    'agent.enable': ({ namespace, agent }, invocation) => setDisabled(find(namespace, agent), false, invocation),
    async 'agent.revoke'({ namespace, agent }, invocation) {
      const found = registry.findPrincipal(`${namespace}/${agent}`)
      if (found !== null && found.revokedAtMs === null) await record(ports, 'agent-revoked', found, invocation)
      await registry.revokePrincipal(`${namespace}/${agent}`)
      return { revoked: `${namespace}/${agent}` }
    },
    async 'credential.list'({ namespace, agent }) {
      const agents = agent === undefined ? registry.listAgents(namespace) : [find(namespace, agent)]
      const parts = view()
      return { credentials: agents.flatMap((one) => credentialViews(one, parts)) }
    },
    async 'credential.revoke'({ namespace, credential }, invocation) {
      const holder = registry.holderOf(credential)
      if (holder?.namespace !== namespace)
        throw new McpworksError('unknown_object', { message: `There is no credential ${credential} to revoke here.` })
      await ports.events.record({
        type: 'credential-revoked',
        namespace,
        principalId: invocation.caller.principal.id,
        credentialId: credential,
        address: invocation.caller.client.address,
        facts: { agent: holder.id, call: invocation.call },
      })
      if (registry.kindOf(credential) === 'api-key') await registry.revokeKey(namespace, credential)
      else await registry.revokeCredential(namespace, credential)
      return { revoked: credential }
    },
    async 'key.list'({ namespace, agent }) {
      return { keys: registry.listKeys(find(namespace, agent).id).map(asJson) }
    },
    async 'key.create'({ namespace, agent, label, expiresInSeconds }) {
      const expiresAtMs = expiresInSeconds === null ? null : clock.nowMs() + expiresInSeconds * 1000
      const { text, key } = await registry.createKey(`${namespace}/${agent}`, { label, scopes: ['mcp'], expiresAtMs })
      return { apiKey: text, key: asJson(key) }
    },
    async 'key.revoke'({ namespace, key }) {
      await registry.revokeKey(namespace, key)
      return { revoked: key }
    },
  }
}

async function record(
  { events }: Pick<IdentityHandlerPorts, 'events'>,
  type: 'agent-changed' | 'agent-disabled' | 'agent-enabled' | 'agent-revoked',
  agent: StoredPrincipal,
  { caller, call }: Invocation,
  facts: JsonObject = {},
): Promise<void> {
  await events.record({
    type,
    namespace: agent.namespace,
    principalId: caller.principal.id,
    credentialId: caller.authentication.credentialId,
    address: caller.client.address,
    facts: { ...facts, agent: agent.id, call },
  })
}

/** The error for a namespace that is not there. */
export function unknownNamespace(namespace: string): McpworksError {
  return new McpworksError('unknown_object', {
    message: `There is no namespace ${namespace}. Make it with "mcpworks apply -f DIR" and a namespace.yaml.`,
  })
}

function asJson(value: object): JsonObject {
  return JSON.parse(JSON.stringify(value)) as JsonObject
}
