import {
  explainCall,
  findRemoval,
  removalSentence,
  renderWhy,
  type DecisionLog,
  type RecordProver,
  type StoredRecord,
} from '../audit/index.ts'
import { isJsonObject, type JsonObject } from '../kernel/index.ts'
import type { ExplainCall } from './management/audit-handlers.ts'

/** A call has a decision and an outcome, and perhaps `abandoned`. */
const maxRecordsOfCall = 10

/** A record tells of a hundred calls, and two thousand can wait for it. */
const shadowRecordsLookedAt = 25

/** Explains calls from the log of the running server. `null` where the namespace has no decision for the call. */
export function explainCallFrom(log: DecisionLog & RecordProver): ExplainCall {
  return async (namespace, call) => {
    const records = await log.read({ namespace, call, limit: maxRecordsOfCall, withoutText: true })
    const decided = records.find((record) => record.kind === 'decision')
    if (decided === undefined) return null
    if (decided.json === '') return await withoutText(log, decided, records)
    const ended = records.find((record) => record.kind === 'outcome' && record.json !== '')
    const input = (await log.readBody(decided.id, 'input'))?.body ?? null
    const output = ended === undefined ? null : ((await log.readBody(ended.id, 'output'))?.body ?? null)
    const principal = principalOf(decided)
    const inputGone =
      input === null ? removalSentence(await findRemoval(log, decided, { part: 'body', principal }), true) : null
    const outputGone =
      ended === undefined || output !== null
        ? null
        : removalSentence(await findRemoval(log, ended, { part: 'body', principal }))
    const after = { namespace, kinds: ['shadow'], afterIndex: decided.index, limit: shadowRecordsLookedAt }
    const explanation = explainCall({
      records: records.filter(({ json }) => json !== ''),
      shadowRecords: await log.read(after),
      input,
      output,
      inputGone,
      outputGone,
      proof: await log.prove(decided.id),
    })
    return { page: JSON.parse(JSON.stringify(explanation)) as JsonObject, text: renderWhy(explanation) }
  }
}

/** What is left of a call whose decision has no text any more: that it was there, when, and its place in the log. */
async function withoutText(
  log: DecisionLog & RecordProver,
  decided: StoredRecord,
  records: readonly StoredRecord[],
): Promise<{ page: JsonObject; text: string }> {
  const { namespace, call, timeMs } = decided
  const gone = `the text of the decision ${removalSentence(await findRemoval(log, decided, { part: 'text' }))}`
  const left = records.map(({ kind, index, id, timeMs: at, json }) => {
    return { kind, index, id, time: new Date(at).toISOString(), hasText: json !== '' }
  })
  const time = new Date(timeMs).toISOString()
  const proof = JSON.parse(JSON.stringify(await log.prove(decided.id))) as JsonObject | null
  const text = [
    `NOT TOLD: ${gone}`,
    '',
    `Call       ${call} in ${namespace}, decided on ${time}`,
    `Left       ${left.map(({ kind, index }) => `${kind} at position ${index}`).join(', ')}; hashes and signatures vouch that they were there`,
    '',
  ].join('\n')
  return { page: { call, namespace, time, gone, records: left, proof }, text }
}

function principalOf({ json }: StoredRecord): string {
  const record: unknown = JSON.parse(json)
  const pre = isJsonObject(record) && isJsonObject(record.pre) ? record.pre : {}
  return isJsonObject(pre.principal) ? String(pre.principal.id) : ''
}
