import { explainCall, renderWhy, type DecisionLog, type RecordProver } from '../audit/index.ts'
import type { JsonObject } from '../kernel/index.ts'
import type { ExplainCall } from './management/audit-handlers.ts'

/** A call has a decision and an outcome, and perhaps `abandoned`. */
const maxRecordsOfCall = 10

/** A record tells of a hundred calls, and two thousand can wait for it. */
const shadowRecordsLookedAt = 25

/** Explains calls from the log of the running server. `null` where the namespace has no decision for the call. */
export function explainCallFrom(log: DecisionLog & RecordProver): ExplainCall {
  return async (namespace, call) => {
    const records = await log.read({ namespace, call, limit: maxRecordsOfCall })
    const decided = records.find((record) => record.kind === 'decision')
    if (decided === undefined) return null
    const ended = records.find((record) => record.kind === 'outcome')
    const after = { namespace, kinds: ['shadow'], afterIndex: decided.index, limit: shadowRecordsLookedAt }
    const explanation = explainCall({
      records,
      shadowRecords: await log.read(after),
      input: (await log.readBody(decided.id, 'input'))?.body ?? null,
      output: ended === undefined ? null : ((await log.readBody(ended.id, 'output'))?.body ?? null),
      proof: await log.prove(decided.id),
    })
    return { page: JSON.parse(JSON.stringify(explanation)) as JsonObject, text: renderWhy(explanation) }
  }
}
