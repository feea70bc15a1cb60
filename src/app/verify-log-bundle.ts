import { verifyBundle, type BundleReport, type WitnessDemand } from '../audit/index.ts'
import { openBundleSource } from '../storage/index.ts'

/** Verifies a bundle that `exportLog` wrote, anywhere: for scripts and for people. */
export async function verifyLogBundle(
  directory: string,
  publicKeyLine: string,
  keptCheckpoints: readonly string[],
  demand?: WitnessDemand,
): Promise<{ readonly ok: boolean; readonly json: BundleReport; readonly text: string }> {
  const json = await verifyBundle(openBundleSource(directory), publicKeyLine, keptCheckpoints, demand)
  return { ok: json.ok, json, text: textOf(json) }
}

function textOf(report: BundleReport): string {
  const { ok, namespace, size, records, checkpoints, tiles, unfinished, witnessed, problems } = report
  const counts = `${records.checked} records, ${checkpoints.checked} checkpoints, ${tiles.checked} tiles`
  if (ok) {
    return [
      `OK: ${counts} of ${namespace ?? ''}; every hash, tree and signature fits.`,
      ...(witnessed === null
        ? []
        : [`As many witnesses as demanded cosigned the first ${witnessed} of ${size} records.`]),
      ...(unfinished > 0 ? [`${unfinished} allowed calls have no outcome yet.`] : []),
    ].join('\n')
  }
  const lines = problems.map(({ subject, index, id, problem }) => {
    const place = [index === null ? null : `index ${index}`, id].filter((part) => part !== null)
    return `  ${subject}${place.length > 0 ? ` (${place.join(', ')})` : ''}: ${problem}`
  })
  return [`TAMPERED OR DAMAGED: ${counts} were checked. The first fault comes first:`, ...lines].join('\n')
}
