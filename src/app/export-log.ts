import { writeBundle, type StoredCosignature } from '../audit/index.ts'
import { McpworksError } from '../kernel/index.ts'
import {
  openAuditReader,
  openBundleTarget,
  openCosignatureReader,
  type AuditReaderOptions,
  type CosignatureReader,
} from '../storage/index.ts'
import { auditPlaceOf, type LogStorage } from './log-place.ts'

/**
 * Writes the log of a namespace as a bundle of files that others verify, with or without a server running on the data
 * directory, or on the database that `storage` names. Needs no key: bodies stay where they are. Checkpoints bear the
 * cosignatures that witnesses gave; where those cannot be read, it goes without, and `cosignatures` is `null`.
 * @throws McpworksError `storage_unavailable`, `unknown_object` where the namespace has no signed record
 */
export async function exportLog(
  dataDirectory: string,
  namespace: string,
  directory: string,
  storage: LogStorage = { masterKey: null },
): Promise<ExportedLog> {
  const place = auditPlaceOf(dataDirectory, storage)
  const reader = openAuditReader(place)
  const cosignatures = countedCosignatures(place)
  try {
    const outcome = await writeBundle(reader, namespace, await openBundleTarget(directory), cosignatures)
    if (outcome.ok) {
      const { trees, records, gone, checkpoints } = outcome
      return { trees, records, gone, checkpoints, cosignatures: cosignatures.found() }
    }
    const message =
      outcome.reason === 'no-key'
        ? "The log's public key (audit.pub) is missing or malformed."
        : `There is no signed record of ${namespace} here.`
    throw new McpworksError('unknown_object', { message })
  } finally {
    await cosignatures.close()
    await reader.close()
  }
}

/** What was written. */
interface ExportedLog {
  readonly trees: number
  readonly records: number
  /** Of them, those whose texts were let go: their hashes are in the tiles, and records of retention name them. */
  readonly gone: number
  readonly checkpoints: number
  /** `null` where they could not be read. */
  readonly cosignatures: number | null
}

/** None where they cannot be read: by somebody who may read the log and not the server's state. */
function countedCosignatures(place: AuditReaderOptions) {
  let found: number | null = 0
  let reader: CosignatureReader | null = null
  return {
    found: () => found,
    close: async () => reader?.close(),
    async list(namespace: string, period: string): Promise<StoredCosignature[]> {
      try {
        reader ??= openCosignatureReader(place)
        const kept = await reader.list(namespace, period)
        if (found !== null) found += kept.length
        return kept
      } catch {
        // They prove themselves and nothing rests on their being there; whoever exports is told.
        found = null
        return []
      }
    },
  }
}
