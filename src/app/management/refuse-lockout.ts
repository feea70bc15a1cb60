import type { Invocation } from '../../gateway/index.ts'
import { McpworksError, type Clock } from '../../kernel/index.ts'
import type { PolicyRequest } from '../../policy/index.ts'
import type { HostedChange, HostedState } from '../hosted-state.ts'

/**
 * Policies that the caller could not change again would stand for good, and with them every agent and key.
 * @throws McpworksError `policy_invalid`
 */
export function refuseLockout(
  change: Pick<HostedChange, 'functions' | 'policies'>,
  { caller, namespace }: Pick<Invocation, 'caller' | 'namespace'>,
  { hosted, clock }: { readonly hosted: Pick<HostedState, 'under'>; readonly clock: Clock },
): void {
  const question: PolicyRequest = {
    principal: caller.principal,
    action: 'manage',
    resource: { type: 'Namespace', id: namespace, namespace, service: null },
    arguments: {},
    context: {
      authentication: {
        method: caller.authentication.method,
        senderConstrained: caller.authentication.senderConstrained,
      },
      door: 'management',
      operation: 'state.apply',
      labels: [],
      timeMs: clock.nowMs(),
      address: caller.client.address,
    },
  }
  const decision = hosted.under(namespace, change, (decide) => decide(question))
  if (decision.effect === 'allow') return
  const rules = decision.determining.map((rule) => rule.id).join(', ')
  throw new McpworksError('policy_invalid', {
    message: `Under these policies you could not change them again (${rules === '' ? decision.basis : rules}); nothing was changed. Leave the action "manage" to those who manage: forbid (...) unless { principal in Role::"owner" } or name other actions.`,
  })
}
