import type { DecisionLog, StoredRecord } from '../../audit/index.ts'
import { isJsonObject, McpworksError, type JsonObject } from '../../kernel/index.ts'
import type { Handlers } from './handler.ts'

type AuditHandlers = Pick<Handlers, 'audit.tail' | 'audit.why'>

/** What the audit folder makes of the records of one call: the structured page and its text. */
export type ExplainCall = (namespace: string, call: string) => Promise<{ page: JsonObject; text: string } | null>

/** Reading the decision log. Reading is an effect too: each read is decided and recorded. */
export function auditHandlers(decisionLog: DecisionLog, explainCall: ExplainCall): AuditHandlers {
  return {
    async 'audit.tail'({ namespace, after, limit, kind, principal }) {
      const filter = {
        namespace,
        limit,
        ...(kind === undefined ? {} : { kinds: [kind] }),
        ...(principal === undefined ? {} : { principal }),
      }
      const records =
        after === undefined
          ? (await decisionLog.read({ ...filter, descending: true })).toReversed()
          : await decisionLog.read({ ...filter, afterIndex: after })
      return { records: records.map(summarise), lastIndex: records.at(-1)?.index ?? after ?? -1 }
    },
    async 'audit.why'({ namespace, call }) {
      const explained = await explainCall(namespace, call)
      if (explained === null) {
        throw new McpworksError('unknown_object', { message: `Namespace ${namespace} has no record of call ${call}.` })
      }
      return { ...explained.page, text: explained.text }
    },
  }
}

function summarise(stored: StoredRecord): JsonObject {
  const parsed: unknown = JSON.parse(stored.json)
  const record = isJsonObject(parsed) ? parsed : {}
  return {
    index: stored.index,
    id: stored.id,
    time: new Date(stored.timeMs).toISOString(),
    kind: stored.kind,
    call: stored.call,
    summary: sentenceOf(stored.kind, record),
    record,
  }
}

/** What a record says, in a few words. */
function sentenceOf(kind: string, record: JsonObject): string {
  const pre = objectAt(record, 'pre')
  const principal = String(objectAt(pre, 'principal').id ?? '')
  const tool = String(objectAt(pre, 'target').tool ?? '')
  if (kind === 'decision') {
    const decision = objectAt(record, 'decision')
    return `${String(decision.effect)} (${String(decision.basis)})  ${principal} -> ${tool}`
  }
  if (kind === 'outcome') {
    const outcome = objectAt(record, 'outcome')
    return `${String(outcome.status)}${typeof outcome.detail === 'string' ? ` (${outcome.detail})` : ''}  ${String(outcome.duration_ms)} ms`
  }
  return JSON.stringify(objectAt(record, 'event'))
}

function objectAt(value: JsonObject, key: string): JsonObject {
  const member = value[key]
  return isJsonObject(member) ? member : {}
}
