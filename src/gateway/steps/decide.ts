import type { Authentication, Caller, JsonObject } from '../../kernel/index.ts'
import type { ApprovalQuestion } from '../../approvals/index.ts'
import { mergeObligations, type PolicyRequest, type Requester } from '../../policy/index.ts'
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
  approved = false,
): Verdict {
  if (!target.visible) return { kind: 'unknown' }
  if (problems.length > 0) return { kind: 'invalid', problems }
  const request = questionOf(call, target, nowMs, use, approved)
  const decision = policy.decide(request)
  if (decision.effect === 'allow')
    return { kind: 'allowed', decision, entry: target.entry, duties: mergeObligations(decision.obligations) }
  const retryAfterSeconds = use === null ? null : secondsUntilAllowed(request, use, policy, usage)
  return { kind: 'denied', decision, retryAfterSeconds }
}

/** The question that the call is to policy. */
export function questionOf(
  call: IdentifiedCall,
  target: Target,
  nowMs: number,
  use: Use | null,
  approved: boolean,
): PolicyRequest {
  const { principal, authentication, client } = call.caller
  const { effect } = call
  const isOperation = effect.kind === 'manage' || effect.kind === 'approve' || effect.kind === 'audit'
  return {
    principal: { type: principal.type, id: principal.id, namespace: principal.namespace, groups: principal.groups },
    action: target.action,
    resource: target.resource,
    arguments: argumentsOf(effect),
    context: {
      authentication: authenticationFacts(authentication, nowMs),
      door: call.door,
      operation: isOperation ? effect.operation : '',
      labels: call.labels,
      ...(approved ? { approved } : {}),
      ...(use === null ? {} : { usage: use.before }),
      timeMs: nowMs,
      address: client.address,
      ...(target.action === 'approve' ? { requester: requesterOf(target.question, call.caller) } : {}),
    },
  }
}

/** Whose call waits, as whoever decides stands to it. */
function requesterOf(question: ApprovalQuestion | undefined, caller: Caller): Requester {
  if (question === undefined) return { id: '', owner: '', own: false, self: false }
  const deciders = decidersOf(caller)
  return {
    id: question.requesterId,
    owner: question.ownerId ?? '',
    own: question.ownerId !== null && deciders.includes(question.ownerId),
    self: deciders.some((id) => question.chain.includes(id)),
  }
}

/** Everybody who has a part in what the caller does: the principal, who acts with its token, and who made its link. */
export function decidersOf({ principal, authentication }: Caller): readonly string[] {
  const { token, link } = authentication
  return [principal.id, ...(token?.actors ?? []), ...(link === undefined ? [] : [link.madeBy])]
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
    case 'approve':
    case 'audit':
      // Policy knows operations by name. Their arguments can be whole files and have no type in the policy schema.
      return {}
  }
}
