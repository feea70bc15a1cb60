import { McpworksError, uuidv7 } from '../kernel/index.ts'
import type { InvocationEvents } from './backend.ts'
import type { GatewayAnswer } from './gateway-answer.ts'
import type { GatewayRequest } from './gateway.ts'
import { openInnerCalls } from './inner-calls.ts'
import type { GatewayPorts } from './ports.ts'
import { Redaction } from './recorded/redaction.ts'
import { act } from './steps/act.ts'
import { answer, refusal, unavailable } from './steps/answer.ts'
import { check } from './steps/check.ts'
import { usageKey } from './steps/count-use.ts'
import { fulfil, hushed } from './steps/fulfil.ts'
import { findQuestion } from './steps/find-question.ts'
import { identify } from './steps/identify.ts'
import { inspect } from './steps/inspect.ts'
import { judge } from './steps/judge.ts'
import { keptLevel } from './steps/kept-level.ts'
import { observeShadow } from './steps/observe-shadow.ts'
import { quarantine } from './steps/quarantine.ts'
import { recordDecision } from './steps/record-decision.ts'
import { recordOutcome } from './steps/record-outcome.ts'
import { resolve } from './steps/resolve.ts'
import { seekApproval, withApproval } from './steps/seek-approval.ts'
import { verifyInvariants } from './steps/verify-invariants.ts'
import type { CountedCall } from './usage/usage-ledger.ts'
import { isWithdrawn } from './withdrawals.ts'

/** What the pipeline has beside its ports. */
export interface PipelineParts {
  readonly report: (call: string, error: unknown) => void
  /** This pipeline, for the calls that running code makes. */
  readonly performInner: (request: GatewayRequest, events: InvocationEvents) => Promise<GatewayAnswer>
}

/**
 * The one way to every effect: each step in order, and no other path. A security reviewer reads this file first.
 *
 * Never rejects. If a step cannot do its work the answer is `unavailable`: before `act`, nothing was run;
 * after it, the output is withheld. A denial is recorded like an allowance, before it is answered.
 * A call that running code makes comes in here again, at the first step, and ends before the call that made it.
 * A caller that is disabled while its call runs does not get the output; what a management operation did, it is told.
 */
export async function perform(
  request: GatewayRequest,
  events: InvocationEvents,
  ports: GatewayPorts,
  { report, performInner }: PipelineParts,
): Promise<GatewayAnswer> {
  let callId = ''
  let counted: CountedCall | null = null
  let leaveRun = (): void => {}
  try {
    const identified = identify(request, ports)
    leaveRun = identified.leaveRun
    const entered = identified.call
    callId = entered.call
    const target = resolve(entered, ports.catalogue, ports.policy, await findQuestion(entered, ports.approvals))
    const problems = check(entered, target, ports.schemas)
    const key = usageKey(entered, target)
    if (key !== null) await ports.usage.ready(key)
    let judged = judge(entered, target, problems, key, ports)
    counted = judged.counted
    const approval = await seekApproval(judged.call, target, judged, ports)
    if (approval?.kind === 'granted') {
      if (key !== null) await ports.usage.ready(key)
      judged = judge(entered, target, problems, key, ports, true)
      counted = judged.counted
    }
    const { call } = judged
    const verdict = withApproval(judged.verdict, approval)

    const keeping = { level: keptLevel(call, target, verdict, ports), redaction: new Redaction() }
    const decided = await recordDecision(call, target, { ...judged, verdict }, keeping, ports)
    counted?.decided(decided.index)
    observeShadow(call, target, { ...judged, verdict }, ports.shadow, report)
    if (verdict.kind !== 'allowed') return refusal(call, verdict)

    const { entry, duties } = verdict
    if (duties.notify.length > 0) ports.notify()
    const inner = openInnerCalls(call, entry, performInner, { clock: ports.clock, ...ports.config })
    const done = await act(call, entry, ports, hushed(events, duties), inner, duties.profile)
    const { acted, obligations, error: broke } = fulfil(call, entry, inspect(done, entry, ports), duties, ports)
    if (broke !== undefined) report(call.call, broke)

    const ran = { namespace: call.namespace, entry, acted: done, forced: duties.profile, inner }
    const invariants = await verifyInvariants(ran, ports)
    const failed = invariants.filter(({ pass }) => !pass)

    const ended = await recordOutcome(
      call,
      entry,
      acted,
      { invariants, obligations, innerCalls: inner.made, keeping },
      ports,
    )
    counted?.handedOut(ended.bytesOut, ended.index)
    if (failed.length > 0) {
      await quarantine(call, entry, failed, ended.id, ports)
      const sentences = failed.map(({ id, detail }) => `${id} (${detail ?? ''})`)
      throw new Error(`invariants failed: ${sentences.join(', ')}; the output is in quarantine`)
    }
    if (acted.status === 'broken' && !(acted.error instanceof McpworksError)) report(call.call, acted.error)
    if (call.effect.kind !== 'manage' && call.effect.kind !== 'approve' && isWithdrawn(call, ports.withdrawals))
      throw new McpworksError('credential_invalid')
    return answer(call, acted)
  } catch (error) {
    const id = callId === '' ? uuidv7(ports.clock.nowMs()) : callId
    // A McpworksError says all there is to say in its answer; anything else is a bug, and the operator must see it.
    if (!(error instanceof McpworksError)) report(id, error)
    return unavailable(id, error)
  } finally {
    counted?.end()
    leaveRun()
  }
}
