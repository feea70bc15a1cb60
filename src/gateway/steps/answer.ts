import type { Sought } from '../../approvals/index.ts'
import { errorTable, McpworksError } from '../../kernel/index.ts'
import type { PolicyDecision } from '../../policy/index.ts'
import type { IdentifiedCall, Verdict } from '../call.ts'
import type { ApprovalNotice, GatewayAnswer } from '../gateway-answer.ts'
import type { Acted } from './act.ts'

/** The answer to a request that was not allowed. */
export function refusal(call: IdentifiedCall, verdict: Exclude<Verdict, { kind: 'allowed' }>): GatewayAnswer {
  switch (verdict.kind) {
    case 'unknown': {
      const code =
        call.effect.kind === 'read'
          ? 'resource_unknown'
          : call.effect.kind === 'prompt'
            ? 'prompt_unknown'
            : 'tool_unknown'
      return { status: 'unknown', call: call.call, message: errorTable[code].message }
    }
    case 'invalid':
      return {
        status: 'invalid',
        call: call.call,
        message: errorTable.arguments_invalid.message,
        problems: verdict.problems,
      }
    case 'barred':
      return { status: 'denied', call: call.call, message: verdict.sentence, rules: [], remedy: null }
    case 'denied':
      return {
        status: 'denied',
        call: call.call,
        message: denialSentence(verdict.decision) + againSentence(verdict.retryAfterSeconds),
        rules: verdict.decision.determining.filter((rule) => rule.effect === 'forbid').map((rule) => rule.id),
        remedy: verdict.decision.determining.find((rule) => rule.remedy !== null)?.remedy ?? null,
        ...(verdict.retryAfterSeconds === null ? {} : { retryAfterSeconds: verdict.retryAfterSeconds }),
        ...(verdict.approval === undefined ? {} : { approval: noticeOf(verdict.approval) }),
      }
  }
}

/** The answer to a request that was carried out. */
export function answer(call: IdentifiedCall, acted: Acted): GatewayAnswer {
  switch (acted.status) {
    case 'ok':
    case 'tool-error':
    case 'timeout':
    case 'killed':
    case 'limit':
      return { status: 'ok', call: call.call, result: acted.result }
    case 'input-required':
      return { status: 'input-required', call: call.call, inputRequests: acted.inputRequests, state: acted.state }
    case 'protocol-error':
      return {
        status: 'protocol-error',
        call: call.call,
        rpcCode: acted.rpcCode,
        message: acted.message,
        data: acted.data,
      }
    case 'broken':
      return unavailable(call.call, acted.error)
  }
}

/** The answer when a step could not do its work. Errors that are not ours say nothing of themselves. */
export function unavailable(call: string, error: unknown): GatewayAnswer {
  if (error instanceof McpworksError) {
    const { code } = error
    if (
      code === 'credential_invalid' ||
      code === 'audit_unavailable' ||
      code === 'sandbox_unavailable' ||
      code === 'storage_unavailable' ||
      code === 'overloaded'
    ) {
      return { status: 'unavailable', call, code, message: error.message }
    }
  }
  return { status: 'unavailable', call, code: 'internal', message: errorTable.internal.message }
}

/** When to come back, rounded up, for a model or a person to read. */
function againSentence(seconds: number | null): string {
  if (seconds === null) return ''
  if (seconds < 120) return ` Try again in ${seconds} seconds.`
  return seconds < 7200
    ? ` Try again in ${Math.ceil(seconds / 60)} minutes.`
    : ` Try again in ${Math.ceil(seconds / 3600)} hours.`
}

/** The retry handle is the call itself, so there is nothing to hand out that somebody else could use. */
function noticeOf(approval: Sought): ApprovalNotice {
  if (approval.kind === 'refused')
    return { id: null, status: 'refused', expiresAtMs: null, sentence: approval.sentence }
  const { id } = approval
  if (approval.kind === 'granted') {
    const sentence = `Request ${id} was approved, but policy has changed and denies the call all the same. The approval is spent.`
    return { id, status: 'refused', expiresAtMs: null, sentence }
  }
  const { expiresAtMs } = approval
  const until = new Date(expiresAtMs).toISOString()
  const sentence =
    approval.kind === 'pending'
      ? `A person can approve this call: request ${id} waits until ${until}. Make exactly the same call again later; once it is approved it is carried out, one time.`
      : `A person denied request ${id} for this call${approval.comment === '' ? '' : `: ${approval.comment}`}. The same call asks nobody again until ${until}.`
  return { id, status: approval.kind, expiresAtMs, sentence }
}

function denialSentence(decision: PolicyDecision): string {
  const reasons = decision.determining
    .filter((rule) => rule.effect === 'forbid' && rule.reason !== null)
    .map((rule) => rule.reason)
  if (reasons.length > 0) return reasons.join(' ')
  switch (decision.basis) {
    case 'forbid':
      return 'A policy forbids this call.'
    case 'error':
      return `The policies could not be evaluated for this call, so it is refused.${decision.errors[0] === undefined ? '' : ` ${decision.errors[0].message}`}`
    case 'default-deny':
    case 'permit':
      return 'No policy permits this call with these arguments.'
  }
}
