import type { Authentication, JsonObject } from '../../kernel/index.ts'
import type { PolicyEngine, PolicyRequest } from '../../policy/index.ts'
import type { IdentifiedCall, Target, Verdict } from '../call.ts'
import type { Effect } from '../effect.ts'
import type { SchemaProblem } from '../ports.ts'

/**
 * Puts the question to policy. Default deny; a forbid beats every permit; an evaluation error is a denial.
 * What the caller may not know of is answered as unknown, whatever its arguments look like. Policy is not asked again
 * then: judging arguments takes as long as the caller makes them, which would tell what is hidden from what is not there.
 */
export function decide(
  call: IdentifiedCall,
  target: Target,
  problems: readonly SchemaProblem[],
  policy: PolicyEngine,
  nowMs: number,
): Verdict {
  if (!target.visible) return { kind: 'unknown' }
  if (problems.length > 0) return { kind: 'invalid', problems }
  const { principal, authentication, client } = call.caller
  const decision = policy.decide({
    principal: { type: principal.type, id: principal.id, namespace: principal.namespace, groups: principal.groups },
    action: target.action,
    resource: target.resource,
    arguments: argumentsOf(call.effect),
    context: {
      authentication: authenticationFacts(authentication, nowMs),
      door: call.door,
      operation: call.effect.kind === 'manage' || call.effect.kind === 'audit' ? call.effect.operation : '',
      labels: call.labels,
      timeMs: nowMs,
      address: client.address,
    },
  })
  if (decision.effect !== 'allow') return { kind: 'denied', decision }
  return { kind: 'allowed', decision, entry: target.entry }
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
