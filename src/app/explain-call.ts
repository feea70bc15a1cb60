import { explainCall, renderWhy, type DecisionLog, type RecordProver } from '../audit/index.ts'
import type { JsonObject } from '../kernel/index.ts'
import type { ExplainCall } from './management/audit-handlers.ts'

/** A call has a decision and an outcome, and perhaps `abandoned`. */
const maxRecordsOfCall = 10

/** Explains calls from the log of the running server. `null` where the namespace has no decision for the call. */
export function explainCallFrom(log: DecisionLog & RecordProver): ExplainCall {
  return async (namespace, call) => {
    const records = await log.read({ namespace, call, limit: maxRecordsOfCall })
    const decided = records.find((record) => record.kind === 'decision')
    if (decided === undefined) return null
    const ended = records.find((record) => record.kind === 'outcome')
    const explanation = explainCall({
      records,
      input: await log.readBody(decided.id, 'input'),
      output: ended === undefined ? null : await log.readBody(ended.id, 'output'),
      proof: await log.prove(decided.id),
    })
    return { page: JSON.parse(JSON.stringify(explanation)) as JsonObject, text: renderWhy(explanation) }
  }
}
