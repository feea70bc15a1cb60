import type { TreeReader } from '../audit/index.ts'
import { McpworksError } from '../kernel/index.ts'
import type { SeenCheckpoints, SeenDifference } from './seen-checkpoints.ts'

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
  if (seen.isEmpty) return []
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
