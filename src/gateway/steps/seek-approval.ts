import type { Sought, WantedCall } from '../../approvals/index.ts'
import type { PolicyDecision } from '../../policy/index.ts'
import type { IdentifiedCall, Target, Verdict } from '../call.ts'
import type { GatewayPorts } from '../ports.ts'
import { questionOf } from './decide.ts'
import type { Judgement } from './judge.ts'

/**
 * Where nothing but a person's approval is missing, spends the approval of exactly this call, or asks for one; `null`
 * where asking would not help. Spending is no decision: the call has to be judged anew, as an approved one, by the
 * policies of that moment. If those deny it, the approval is spent all the same.
 * A later round of a call that its tool interrupted is not asked about: nobody can approve what is answered in it.
 * @throws McpworksError `audit_unavailable`, `storage_unavailable`
 */
export async function seekApproval(
  call: IdentifiedCall,
  target: Target,
  { verdict, atMs, use }: Judgement,
  { policy, approvals }: Pick<GatewayPorts, 'policy' | 'approvals'>,
): Promise<Sought | null> {
  if (verdict.kind !== 'denied') return null
  const wanted = wantedCall(call, target, verdict.decision)
  if (wanted === null) return null
  const approved = policy.decide(questionOf(call, target, atMs, use, true))
  return approved.effect === 'allow' ? approvals.seek(wanted) : null
}

/** The verdict with what became of asking, for the record and for the caller. */
export function withApproval(verdict: Verdict, approval: Sought | null): Verdict {
  if (approval === null) return verdict
  if (verdict.kind === 'denied') return { ...verdict, approval }
  return verdict.kind === 'allowed' && approval.kind === 'granted' ? { ...verdict, approval } : verdict
}

/** The call as a person would be asked about it; `null` where a person could not change what was decided. */
function wantedCall(call: IdentifiedCall, { entry }: Target, decision: PolicyDecision): WantedCall | null {
  const { effect, caller, namespace, door } = call
  if (effect.kind !== 'call' || effect.resume !== null || entry === null) return null
  const { basis, errors, determining } = decision
  if (basis !== 'forbid' || errors.length > 0 || determining.length === 0) return null
  if (determining.some(({ effect: kind, remedy }) => kind !== 'forbid' || remedy !== 'approval')) return null
  const { principal, authentication } = caller
  return {
    namespace,
    requester: { type: principal.type, id: principal.id, actors: authentication.token?.actors ?? [] },
    door,
    tool: entry.name,
    service: entry.service,
    definitionHash: entry.definitionHash,
    codeHash: entry.codeHash,
    inputSchema: entry.inputSchema,
    arguments: effect.arguments,
    rules: determining.map(({ id }) => id),
    reasons: determining.flatMap(({ reason }) => reason ?? []),
    call: call.call,
  }
}
