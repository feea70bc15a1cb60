import { writeBundle } from '../audit/index.ts'
import { McpworksError } from '../kernel/index.ts'
import { openAuditReader, openBundleTarget } from '../storage/index.ts'
import { auditPlaceOf, type LogStorage } from './log-place.ts'

/**
 * Writes the log of a namespace as a bundle of files that others verify, with or without a server running on the data
 * directory, or on the database that `storage` names. Needs no key: bodies stay where they are.
 * @throws McpworksError `storage_unavailable`, `unknown_object` where the namespace has no signed record
 */
export async function exportLog(
  dataDirectory: string,
  namespace: string,
  directory: string,
  storage: LogStorage = { masterKey: null },
): Promise<{ trees: number; records: number; checkpoints: number }> {
  const reader = openAuditReader(auditPlaceOf(dataDirectory, storage))
  try {
    const outcome = await writeBundle(reader, namespace, await openBundleTarget(directory))
    if (outcome.ok) return { trees: outcome.trees, records: outcome.records, checkpoints: outcome.checkpoints }
    const message =
      outcome.reason === 'no-key'
        ? "The log's public key (audit.pub) is missing or malformed."
        : `There is no signed record of ${namespace} here.`
    throw new McpworksError('unknown_object', { message })
  } finally {
    await reader.close()
  }
}
