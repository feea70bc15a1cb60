import { isJsonObject, type JsonObject } from '../kernel/index.ts'
import { objects } from './commands/rows.ts'
import { table } from './terminal.ts'

/** The answer of `policy.explain` for people: a table of who may call what, or why one call would be decided as it is. */
export function explainText(answer: JsonObject): string {
  return isJsonObject(answer.decision) ? decisionText(answer, answer.decision) : accessText(answer)
}

function accessText(answer: JsonObject): string {
  const rows = objects(answer.access)
  const counts = ['always', 'conditional', 'never'].map(
    (access) => `${rows.filter((row) => row.access === access).length} ${access}`,
  )
  const lines = rows.map((row) => [
    String(row.principal),
    String(row.tool),
    String(row.access),
    Array.isArray(row.policies) && row.policies.length > 0 ? row.policies.join(', ') : '(no rule permits it)',
  ])
  return `${table(['AGENT', 'TOOL', 'MAY CALL', 'RULES'], lines)}\n${counts.join(', ')}`
}

function decisionText(answer: JsonObject, decision: JsonObject): string {
  const conditions = new Map(objects(answer.because).map((one) => [String(one.policyId), objects(one.conditions)]))
  const rules = objects(decision.determining).flatMap((rule) => [
    `  ${String(rule.effect)} ${String(rule.id)}${typeof rule.reason === 'string' ? `: ${rule.reason}` : ''}`,
    ...(conditions.get(String(rule.id)) ?? []).map((condition) => `      because ${said(condition)}`),
  ])
  const demanded = Array.isArray(decision.obligations)
    ? decision.obligations.map((one) => `  on condition: ${String(one)}`)
    : []
  const errors = objects(decision.errors).map((error) => `  ${String(error.message)}`)
  const misses = objects(answer.nearMisses).flatMap((miss) => {
    const failed = objects(miss.failed)
    const count = `${failed.length} of its ${String(miss.conditions)} conditions ${failed.length === 1 ? 'was' : 'were'} not so`
    return [
      `  ${String(miss.policyId)} would permit it, but ${count}:`,
      ...failed.map((one) => `      ${said(one)}${one.evaluated === false ? ' (could not be evaluated)' : ''}`),
    ]
  })
  const others = objects(answer.elsewhere).map(
    (other) => `  ${String(other.policyId)} does not cover it: ${String(other.words)}`,
  )
  const nothing =
    decision.basis === 'default-deny' && misses.length === 0
      ? ['  no permit has this agent and this tool in its scope']
      : []
  const head = `${String(decision.effect)} (${String(decision.basis)})`
  return [head, ...rules, ...demanded, ...errors, ...misses, ...nothing, ...others].join('\n')
}

/** A condition in words with its Cedar, or as Cedar where there are no words. */
function said({ words, condition }: JsonObject): string {
  return typeof words === 'string' ? `${words}  [${String(condition)}]` : String(condition)
}
