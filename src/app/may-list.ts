import { authenticationFacts } from '../gateway/index.ts'
import type { Caller, Clock } from '../kernel/index.ts'
import type { PolicyEngine } from '../policy/index.ts'

/**
 * Names of the namespaces in which policy lets the caller list calls that wait. Only to know where to ask: each list goes
 * through the pipeline. Without it, looking at one page would be refused, on the record, for every other namespace.
 */
export function mayList(
  caller: Caller,
  namespaces: readonly { readonly name: string }[],
  policy: Pick<PolicyEngine, 'decide'>,
  clock: Clock,
): string[] {
  const { principal, authentication, client } = caller
  const nowMs = clock.nowMs()
  return namespaces
    .map(({ name }) => name)
    .filter((namespace) => {
      const decision = policy.decide({
        principal,
        action: 'manage',
        resource: { type: 'Namespace', id: namespace, namespace, service: null },
        arguments: {},
        context: {
          authentication: authenticationFacts(authentication, nowMs),
          door: 'console',
          operation: 'approval.list',
          labels: [],
          timeMs: nowMs,
          address: client.address,
        },
      })
      return decision.effect === 'allow'
    })
}
