import type { GatewayAnswer } from '../../gateway/index.ts'
import { errorTable, isJsonObject, type JsonObject } from '../../kernel/index.ts'
import { RpcError } from './exchange.ts'

type Answer<Status extends GatewayAnswer['status']> = Extract<GatewayAnswer, { status: Status }>

/** Our members of a result's `_meta`. */
export const callMeta = 'mcpworks/call'
const denialMeta = 'mcpworks/denial'
const approvalMeta = 'mcpworks/approval'

/** The result of a tool's call with the id that `mcpworks why` takes. */
export function toolResult(answer: Answer<'ok'>): JsonObject {
  const meta = answer.result._meta
  return { ...answer.result, _meta: { ...(isJsonObject(meta) ? meta : {}), [callMeta]: answer.call } }
}

/**
 * A refused call as a result with `isError`, because that is what a model gets to read: which rule, why, what would
 * change it, and where to look it up.
 */
export function deniedResult(answer: Answer<'denied'>): JsonObject {
  const lines = [`Refused by policy: ${answer.message}`]
  if (answer.rules.length > 0) lines.push(`Rule: ${answer.rules.join(', ')}`)
  if (answer.remedy !== null) lines.push(`What would change it: ${answer.remedy}`)
  if (answer.approval !== undefined) lines.push(answer.approval.sentence)
  lines.push(`The call was not made. Details: mcpworks why ${answer.call}`)
  return {
    content: [{ type: 'text', text: lines.join('\n') }],
    isError: true,
    _meta: {
      [callMeta]: answer.call,
      [denialMeta]: {
        message: answer.message,
        rules: [...answer.rules],
        remedy: answer.remedy,
        ...(answer.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: answer.retryAfterSeconds }),
      },
      ...(answer.approval === undefined ? {} : { [approvalMeta]: noticeOf(answer.approval) }),
    },
  }
}

/** What a program needs to know whether and when to make the call again. */
function noticeOf({ id, status, expiresAtMs }: NonNullable<Answer<'denied'>['approval']>): JsonObject {
  const expires = expiresAtMs === null ? null : new Date(expiresAtMs).toISOString()
  return { id, status, expires }
}

/** Wrong arguments are the tool's error, not the protocol's, so that the model sees them and can repair them (SEP-1303). */
export function invalidResult(answer: Answer<'invalid'>): JsonObject {
  const problems = answer.problems.map((problem) => ({ path: problem.path, message: problem.message }))
  const lines = problems.map((problem) => `- ${problem.path === '' ? 'arguments' : problem.path}: ${problem.message}`)
  return {
    content: [{ type: 'text', text: [answer.message, ...lines].join('\n') }],
    isError: true,
    _meta: { [callMeta]: answer.call, 'mcpworks/problems': problems },
  }
}

/** The answers that are JSON-RPC errors for every method. `not-found` is said for unknown and forbidden alike. */
export function answerError(answer: Exclude<GatewayAnswer, Answer<'ok'> | Answer<'input-required'>>): RpcError {
  switch (answer.status) {
    case 'denied': {
      const { retryAfterSeconds } = answer
      const again = retryAfterSeconds === undefined ? {} : { retryAfterSeconds }
      const data = { call: answer.call, rules: [...answer.rules], remedy: answer.remedy, ...again }
      return new RpcError(errorTable.denied.rpc, `Refused by policy: ${answer.message}`, { data })
    }
    case 'unknown':
      // Without the call's id: ids of different length or order must not tell the two cases apart.
      return new RpcError(-32602, answer.message)
    case 'invalid': {
      const problems = answer.problems.map((problem) => ({ path: problem.path, message: problem.message }))
      return new RpcError(errorTable.arguments_invalid.rpc, answer.message, { data: { call: answer.call, problems } })
    }
    case 'protocol-error':
      return new RpcError(answer.rpcCode, answer.message, { data: { ...answer.data, call: answer.call } })
    case 'unavailable': {
      const row = errorTable[answer.code]
      const data = { call: answer.call, code: answer.code, retryable: row.retryable }
      const { retryAfterSeconds } = answer
      const headers = retryAfterSeconds === undefined ? {} : { 'Retry-After': String(retryAfterSeconds) }
      return new RpcError(row.rpc, answer.message, { data, status: row.status, headers })
    }
  }
}
