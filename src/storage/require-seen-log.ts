import type { TreeReader } from '../audit/index.ts'
import { McpworksError } from '../kernel/index.ts'
import { dataDirectoryPaths } from './data-directory.ts'
import { openAuditReader, type AuditReaderOptions } from './open-audit-reader.ts'
import { SeenCheckpoints, type SeenDifference } from './seen-checkpoints.ts'

/**
 * How a log differs from what was seen of it; to be asked before it is opened for writing. `openReader` is `null` where
 * there is no log. With `accept`, what was seen is forgotten where the log differs, and the log is gone on with.
 * @throws McpworksError `storage_unavailable` where it differs and nobody accepted that
 */
export async function requireSeenLog(
  seen: SeenCheckpoints,
  openReader: (() => Pick<TreeReader, 'newestCheckpoint' | 'hashes' | 'close'>) | null,
  accept: boolean,
): Promise<readonly SeenDifference[]> {
  if (seen.size === 0) return []
  const reader = openReader?.() ?? noTrees
  try {
    const differences = await seen.differences(reader)
    const [first] = differences
    if (first === undefined) return []
    if (!accept)
      throw new McpworksError('storage_unavailable', {
        message: `The decision log is not the one that this server has seen. ${first.problem} Run "mcpworks audit verify". Where a backup was restored on purpose: mcpworks up --accept-older-log, once.`,
      })
    seen.forget()
    return differences
  } finally {
    await reader.close()
  }
}

/** What is in a log that was never written to. */
const noTrees = { newestCheckpoint: async () => null, hashes: async () => [], close: async () => {} }

/**
 * How a log differs from what a data directory has seen of it, and from checkpoints that were kept elsewhere, beside a
 * running server or without one. Of a log that was never written to there is nothing to say. Changes nothing.
 * @throws McpworksError `storage_unavailable` where the log, or what was seen of it, cannot be read
 */
export async function examineSeenLog(
  options: AuditReaderOptions,
  keptCheckpoints: readonly string[],
): Promise<{ readonly compared: number; readonly differences: readonly SeenDifference[] }> {
  const seen = SeenCheckpoints.read(dataDirectoryPaths(options.dataDirectory).seen)
  const kept = SeenCheckpoints.of(keptCheckpoints)
  const compared = seen.size + kept.size
  if (compared === 0) return { compared, differences: [] }
  const reader = openAuditReader(options)
  try {
    return { compared, differences: [...(await seen.differences(reader)), ...(await kept.differences(reader))] }
  } catch (cause) {
    throw cause instanceof McpworksError ? cause : new McpworksError('storage_unavailable', { cause })
  } finally {
    await reader.close()
  }
}
