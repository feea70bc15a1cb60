import { agentStatus, type IdentityEvents, type IdentityRegistry, type StoredPrincipal } from '../../auth/index.ts'
import type { DesiredAgent, ParsedState } from '../../functions/index.ts'
import type { Invocation } from '../../gateway/index.ts'
import { McpworksError } from '../../kernel/index.ts'
import { ownerFor } from './owner-for.ts'
import { mayChangeAgents, type AgentOperation, type AgentPolicyPorts } from './require-may-change-agents.ts'

/** What applying agents stands on. */
export interface ApplyAgentsPorts extends AgentPolicyPorts {
  readonly registry: IdentityRegistry
  readonly events: Pick<IdentityEvents, 'record'>
}

/** One agent that is to be made or changed, in words for the plan. */
export interface AgentChange {
  readonly change: 'add' | 'change'
  readonly agent: string
  readonly detail: string
}

/**
 * Refuses agents that cannot be as the directory wants them.
 * @throws McpworksError `already_exists` for the name of a revoked agent, `unknown_object` for an owner who is no user
 */
export function checkAgents({ namespace, agents }: ParsedState, registry: IdentityRegistry): void {
  for (const { name, owner } of agents) {
    const known = registry.findPrincipal(`${namespace}/${name}`)
    if (known !== null && known.revokedAtMs !== null) {
      throw new McpworksError('already_exists', {
        message: `Agent ${known.id} was revoked, and its name is never used again. Give it another name in namespace.yaml.`,
      })
    }
    if (owner !== null) ownerFor(registry, owner, null)
  }
}

/** What applying the agents would do. */
export function compareAgents({ namespace, agents }: ParsedState, registry: IdentityRegistry): AgentChange[] {
  return agents.flatMap((agent): AgentChange[] => {
    const known = registry.findPrincipal(`${namespace}/${agent.name}`)
    const detail = differences(agent, known).join('; ')
    if (known === null) return [{ change: 'add', agent: agent.name, detail }]
    return detail === '' ? [] : [{ change: 'change', agent: agent.name, detail }]
  })
}

/**
 * What applying would do to agents besides to their groups, as operations of their own. To name who owns a new one is to
 * say who can let applications act as it.
 */
export function operationsOn({ namespace, agents }: ParsedState, registry: IdentityRegistry): Set<AgentOperation> {
  const operations = new Set<AgentOperation>()
  for (const { name, owner, senderConstrained, status } of agents) {
    const known = registry.findPrincipal(`${namespace}/${name}`)
    if (known === null) {
      if (owner !== null) operations.add('agent.add')
      continue
    }
    if (owner !== null && owner !== known.ownerId) operations.add('agent.set')
    if (senderConstrained !== null && senderConstrained !== known.senderConstrainedOnly) operations.add('agent.set')
    if (status !== null && status !== agentStatus(known))
      operations.add(status === 'disabled' ? 'agent.disable' : 'agent.enable')
  }
  return operations
}

/**
 * Makes and changes agents. What the directory does not say of one stays. Whoever applies owns a new one, if they could
 * make it by hand: an owner can let applications act as the agent, which the right to write policies does not include.
 */
export async function applyAgents(state: ParsedState, by: Invocation, ports: ApplyAgentsPorts): Promise<void> {
  const { registry, clock } = ports
  const applier = mayChangeAgents('agent.add', by, ports) ? by.caller : null
  for (const agent of state.agents) {
    const id = `${state.namespace}/${agent.name}`
    const known = registry.findPrincipal(id)
    if (known === null) {
      await registry.addAgent(state.namespace, agent.name, agent.groups, {
        ownerId: ownerFor(registry, agent.owner ?? undefined, applier),
        senderConstrainedOnly: agent.senderConstrained ?? false,
      })
    }
    const found = registry.findPrincipal(id)
    if (found === null || differences(agent, found).length === 0) continue
    const disabled = agent.status === null ? found.disabledAtMs !== null : agent.status === 'disabled'
    if (disabled !== (found.disabledAtMs !== null)) await recordStatus(found, disabled, by, ports)
    await registry.update(id, {
      groups: agent.groups,
      ...(agent.owner === null ? {} : { ownerId: agent.owner }),
      ...(agent.senderConstrained === null ? {} : { senderConstrainedOnly: agent.senderConstrained }),
      disabledAtMs: disabled ? (found.disabledAtMs ?? clock.nowMs()) : null,
    })
  }
}

async function recordStatus(
  agent: StoredPrincipal,
  disabled: boolean,
  { caller, call }: Invocation,
  { events }: ApplyAgentsPorts,
): Promise<void> {
  await events.record({
    type: disabled ? 'agent-disabled' : 'agent-enabled',
    namespace: agent.namespace,
    principalId: caller.principal.id,
    credentialId: caller.authentication.credentialId,
    address: caller.client.address,
    facts: { agent: agent.id, call },
  })
}

/** In words, what of the agent is not as wanted; for a new one what it will be. */
function differences(wanted: DesiredAgent, known: StoredPrincipal | null): string[] {
  const words: string[] = []
  if (known === null ? wanted.groups.length > 0 : !sameGroups(known.groups, wanted.groups))
    words.push(wanted.groups.length > 0 ? `groups ${wanted.groups.join(', ')}` : 'no groups')
  if (wanted.owner !== null && wanted.owner !== known?.ownerId) words.push(`owner ${wanted.owner}`)
  const { senderConstrained: constrained } = wanted
  if (constrained !== null && constrained !== (known?.senderConstrainedOnly ?? false))
    words.push(constrained ? 'sender-constrained only' : 'not sender-constrained only')
  if (wanted.status !== null && wanted.status !== (known === null ? 'active' : agentStatus(known)))
    words.push(wanted.status)
  return words
}

function sameGroups(a: readonly string[], b: readonly string[]): boolean {
  const wanted = new Set(b)
  return new Set(a).size === wanted.size && a.every((group) => wanted.has(group))
}
