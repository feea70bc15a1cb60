import type { Authentication, JsonObject } from '../../kernel/index.ts'
import { mergeObligations, type PolicyRequest } from '../../policy/index.ts'
import type { IdentifiedCall, Target, Verdict } from '../call.ts'
import type { Effect } from '../effect.ts'
import type { GatewayPorts, SchemaProblem } from '../ports.ts'
import type { Use } from './count-use.ts'
import { secondsUntilAllowed } from './when-again.ts'

/**
 * Puts the question to policy. Default deny; a forbid beats every permit; an evaluation error is a denial.
 * What the caller may not know of is answered as unknown, whatever its arguments look like. Policy is not asked again
 * then: judging arguments takes as long as the caller makes them, which would tell what is hidden from what is not there.
 */
export function decide(
  call: IdentifiedCall,
  target: Target,
  problems: readonly SchemaProblem[],
  { policy, usage }: Pick<GatewayPorts, 'policy' | 'usage'>,
  nowMs: number,
  use: Use | null,
): Verdict {
  if (!target.visible) return { kind: 'unknown' }
  if (problems.length > 0) return { kind: 'invalid', problems }
  const request = policyRequest(call, target, nowMs, use)
  const decision = policy.decide(request)
  if (decision.effect === 'allow')
    return { kind: 'allowed', decision, entry: target.entry, duties: mergeObligations(decision.obligations) }
  const retryAfterSeconds = use === null ? null : secondsUntilAllowed(request, use, policy, usage)
  return { kind: 'denied', decision, retryAfterSeconds }
}

/** The question that the call is to policy. */
function policyRequest(call: IdentifiedCall, target: Target, nowMs: number, use: Use | null): PolicyRequest {
  const { principal, authentication, client } = call.caller
  return {
    principal: { type: principal.type, id: principal.id, namespace: principal.namespace, groups: principal.groups },
    action: target.action,
    resource: target.resource,
    arguments: argumentsOf(call.effect),
    context: {
      authentication: authenticationFacts(authentication, nowMs),
      door: call.door,
      operation: call.effect.kind === 'manage' || call.effect.kind === 'audit' ? call.effect.operation : '',
      labels: call.labels,
      ...(use === null ? {} : { usage: use.before }),
      timeMs: nowMs,
      address: client.address,
    },
  }
}

/** How the caller proved who it is, as policy sees it. */
export function authenticationFacts(
  { method, senderConstrained, binding, authenticatedAtMs, token }: Authentication,
  nowMs: number,
): PolicyRequest['context']['authentication'] {
  const ageMs = authenticatedAtMs === undefined ? 0 : nowMs - authenticatedAtMs
  return {
    method,
    senderConstrained,
    ageSeconds: Math.max(0, Math.ceil(ageMs / 1000)),
    binding: binding ?? 'none',
    issuer: token?.issuer ?? '',
    client: token?.clientId ?? '',
    actors: token?.actors ?? [],
  }
}

function argumentsOf(effect: Effect): JsonObject {
  switch (effect.kind) {
    case 'call':
    case 'prompt':
      return effect.arguments
    case 'read':
      return { uri: effect.uri }
    case 'complete':
    case 'manage':
    case 'audit':
      // Policy knows operations by name. Their arguments can be whole files and have no type in the policy schema.
      return {}
  }
}
