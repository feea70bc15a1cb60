import type { SearchIndexState } from '../../audit/index.ts'
import type { LogRows } from './log-rows.ts'

/**
 * How much of a namespace's log is in an index that has all records up to the sequence number `seq`. Records of one log
 * come in the order of their positions, so that some twenty of them say it, however far the index is behind.
 */
export async function indexState(rows: LogRows, namespace: string, seq: number): Promise<SearchIndexState> {
  const log = await rows.logOf(namespace)
  if (log === null) return { behind: 0, indexed: 0 }
  const length = await rows.length(log)
  const isIndexed = async (position: number): Promise<boolean> => {
    const [row] = await rows.at(log, [position])
    return row !== undefined && row.seq <= seq
  }
  if (length === 0 || (await isIndexed(length - 1))) return { behind: 0, indexed: length }
  let [indexed, beyond] = [0, length - 1]
  while (indexed < beyond) {
    const middle = Math.floor((indexed + beyond) / 2)
    if (await isIndexed(middle)) indexed = middle + 1
    else beyond = middle
  }
  return { behind: length - indexed, indexed }
}
