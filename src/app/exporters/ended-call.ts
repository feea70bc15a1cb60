import { explainCall, type StoredRecord } from '../../audit/index.ts'
import { readTraceparent, type EndedCall } from '../../exporters/index.ts'
import { isJsonObject } from '../../kernel/index.ts'
import type { CallRecords } from './call-records.ts'

/** The call that a record refused or ended, without its bodies; `null` for any other record. */
export async function endedCall(stored: StoredRecord, calls: CallRecords): Promise<EndedCall | null> {
  const { kind, json, namespace } = stored
  if ((kind !== 'decision' && kind !== 'outcome' && kind !== 'abandoned') || json === '') return null
  const records = await calls.upTo(stored)
  const [decision] = records
  if (decision?.kind !== 'decision') return null
  const explained = explainCall({ records, input: null, output: null, proof: null })
  if (kind === 'decision' && explained.decision.effect === 'allow') return null
  const record: unknown = JSON.parse(decision.json)
  const mcp = isJsonObject(record) && isJsonObject(record['mcp']) ? record['mcp'] : {}
  const { parentCall } = explained
  const isFound = parentCall === null || readTraceparent(explained.trace) !== null
  return {
    explained,
    protocolVersion: textOrNull(mcp['protocol_version']),
    requestId: textOrNull(mcp['json_rpc_id']),
    outermost: isFound ? explained.call : await calls.outermost(namespace, parentCall),
  }
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}
