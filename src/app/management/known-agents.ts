import type { IdentityRegistry } from '../../auth/index.ts'
import type { PolicyVocabulary } from '../../policy/index.ts'

/** An agent as a policy can name it. */
interface NamedAgent {
  readonly name: string
  readonly groups: readonly string[]
}

/** The agents and groups that policies can name: those of the registry and those about to be added. */
export function knownAgents(
  registry: IdentityRegistry,
  namespace: string,
  added: readonly NamedAgent[] = [],
): Required<Pick<PolicyVocabulary, 'agents' | 'groups'>> {
  const all: NamedAgent[] = [...registry.listAgents(namespace).filter((agent) => agent.revokedAtMs === null), ...added]
  return {
    agents: [...new Set(all.map((agent) => agent.name))],
    groups: [...new Set(all.flatMap((agent) => agent.groups))],
  }
}
