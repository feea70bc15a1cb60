import { proveConsistency } from '../audit/index.ts'
import { McpworksError } from '../kernel/index.ts'
import { openAuditReader } from '../storage/index.ts'
import { auditPlaceOf, type LogStorage } from './log-place.ts'

/**
 * Proves from the log of a data directory, or of the database that `storage` names, that one signed checkpoint of a
 * namespace continues another, with or without a server running on it. Gives the text of the proof. Needs no key.
 * @throws McpworksError `storage_unavailable`, `invalid_request` where there is no such proof: the message says why
 */
export async function proveLogConsistency(
  dataDirectory: string,
  from: string,
  to: string,
  storage: LogStorage = { masterKey: null },
): Promise<string> {
  const reader = openAuditReader(auditPlaceOf(dataDirectory, storage))
  try {
    const outcome = await proveConsistency(reader, from, to)
    if (!outcome.ok) throw new McpworksError('invalid_request', { message: outcome.problem })
    return `${JSON.stringify(outcome.proof, null, 1)}\n`
  } finally {
    await reader.close()
  }
}
