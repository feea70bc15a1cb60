import { authenticationFacts, type Invocation } from '../../gateway/index.ts'
import { McpworksError, type Clock } from '../../kernel/index.ts'
import type { PolicyEngine } from '../../policy/index.ts'

/** An operation on agents that has the same effect as a part of another operation. */
export type AgentOperation = 'agent.set' | 'agent.disable' | 'agent.enable'

/**
 * Puts to policy what applying a directory would do to agents, as the operations that do the same: who may write
 * policies and functions may not for that reason say who enters.
 * @throws McpworksError `denied`
 */
export function requireMayChangeAgents(
  operations: ReadonlySet<AgentOperation>,
  { caller, namespace }: Invocation,
  { policy, clock }: { readonly policy: Pick<PolicyEngine, 'decide'>; readonly clock: Clock },
): void {
  const nowMs = clock.nowMs()
  const { authentication, principal, client } = caller
  for (const operation of operations) {
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
    if (decision.effect === 'allow') continue
    throw new McpworksError('denied', {
      message: `namespace.yaml changes owner, status or sender constraint of an agent, which takes the right to ${operation}; nothing was changed.`,
    })
  }
}
