import { verifyDecisionLog, type VerifyOptions, type VerifyReport } from '../audit/index.ts'
import { openAuditReader } from '../storage/index.ts'
import { auditPlaceOf, type LogStorage } from './log-place.ts'

/** What the verifier found, for scripts and for people. */
export interface VerifyResult {
  readonly ok: boolean
  readonly json: VerifyReport
  readonly text: string
}

/**
 * Verifies the decision log of a data directory from its files alone, with or without a server running on it.
 * `storage` says under which master key, where it does not lie there, and in which database the log is, where it is in one.
 * `evidence` is what the auditor brings along: the key as it was given, and checkpoints kept elsewhere.
 * @throws McpworksError `storage_unavailable` where the files cannot be read
 */
export async function verifyDataDirectory(
  dataDirectory: string,
  progress: (text: string) => void,
  evidence: Pick<VerifyOptions, 'publicKeyLine' | 'keptCheckpoints'> = {},
  storage: LogStorage = { masterKey: null },
): Promise<VerifyResult> {
  const reader = openAuditReader(auditPlaceOf(dataDirectory, storage))
  try {
    const started = performance.now()
    let told = started
    const json = await verifyDecisionLog({
      ...evidence,
      reader,
      onProgress(checked, total) {
        if (performance.now() - told < 1000) return
        told = performance.now()
        progress(`verified ${checked} of ${total} records`)
      },
    })
    return { ok: json.ok, json, text: textOf(json) }
  } finally {
    await reader.close()
  }
}

/** What is gone, as the log itself says. */
function removedLines({ removed: { texts, bodies } }: VerifyReport): string[] {
  if (texts + bodies === 0) return []
  return [
    `Let go since, as records of the log say: the texts of ${texts} records, the arguments or results of ${bodies}. Hashes vouch for the rest.`,
  ]
}

function textOf(report: VerifyReport): string {
  const counts = (['records', 'checkpoints', 'tiles', 'bodies'] as const)
    .map((what) => `${report[what].checked} ${what}`)
    .join(', ')
  if (report.ok) {
    const unsigned = report.namespaces.reduce((sum, { unsigned: count }) => sum + count, 0)
    return [
      `OK: ${counts}; every hash, chain, tree and signature fits.`,
      ...removedLines(report),
      ...(unsigned > 0 ? [`${unsigned} of the newest records are not signed yet; the chain holds them.`] : []),
      ...(report.unfinished > 0 ? [`${report.unfinished} allowed calls have no outcome yet.`] : []),
    ].join('\n')
  }
  const problems = report.problems.map(({ subject, namespace, index, id, problem }) => {
    const place = [
      namespace === null ? null : `namespace ${namespace}`,
      index === null ? null : `index ${index}`,
      id,
    ].filter((part) => part !== null)
    return `  ${subject}${place.length > 0 ? ` (${place.join(', ')})` : ''}: ${problem}`
  })
  return [`TAMPERED OR DAMAGED: ${counts} were checked. The first fault comes first:`, ...problems].join('\n')
}
