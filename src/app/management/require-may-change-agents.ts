import { authenticationFacts, type Invocation } from '../../gateway/index.ts'
import { McpworksError, type Clock } from '../../kernel/index.ts'
import type { PolicyEngine } from '../../policy/index.ts'

/** An operation on agents that has the same effect as a part of another operation. */
export type AgentOperation = 'agent.add' | 'agent.set' | 'agent.disable' | 'agent.enable'

/** What the question is put to. */
export interface AgentPolicyPorts {
  readonly policy: Pick<PolicyEngine, 'decide'>
  readonly clock: Clock
}

/** Whether policy lets the caller do an operation on agents of the namespace. */
export function mayChangeAgents(
  operation: AgentOperation,
  { caller, namespace }: Invocation,
  { policy, clock }: AgentPolicyPorts,
): boolean {
  const nowMs = clock.nowMs()
  const { authentication, principal, client } = caller
  const decision = policy.decide({
    principal,
    action: 'manage',
    resource: { type: 'Namespace', id: namespace, namespace, service: null },
    arguments: {},
    context: {
      authentication: authenticationFacts(authentication, nowMs),
      door: 'management',
      operation,
      labels: [],
      timeMs: nowMs,
      address: client.address,
    },
  })
  return decision.effect === 'allow'
}

/**
 * Puts to policy what applying a directory would do to agents, as the operations that do the same: who may write
 * policies and functions may not for that reason say who enters.
 * @throws McpworksError `denied`
 */
export function requireMayChangeAgents(
  operations: ReadonlySet<AgentOperation>,
  invocation: Invocation,
  ports: AgentPolicyPorts,
): void {
  for (const operation of operations) {
    if (mayChangeAgents(operation, invocation, ports)) continue
    throw new McpworksError('denied', {
      message: `namespace.yaml changes owner, status or sender constraint of an agent, which takes the right to ${operation}; nothing was changed.`,
    })
  }
}
