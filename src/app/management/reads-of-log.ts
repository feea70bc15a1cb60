import type { DecisionLog, StoredRecord } from '../../audit/index.ts'
import { isJsonObject } from '../../kernel/index.ts'

/**
 * The records without those of reading the log: every read is recorded, and showing them would make more of them.
 */
export async function withoutReads(
  log: Pick<DecisionLog, 'read'>,
  namespace: string,
  found: readonly StoredRecord[],
): Promise<StoredRecord[]> {
  const isRead = new Map<string, boolean>()
  for (const { call } of found) if (!isRead.has(call)) isRead.set(call, await isReadOfLog(log, namespace, call))
  return found.filter(({ call }) => isRead.get(call) !== true)
}

async function isReadOfLog(log: Pick<DecisionLog, 'read'>, namespace: string, call: string): Promise<boolean> {
  const [decided] = await log.read({ namespace, call, kinds: ['decision'], limit: 1 })
  // What has no text any more cannot be told from the rest.
  if (decided === undefined) return false
  const parsed: unknown = JSON.parse(decided.json)
  if (!isJsonObject(parsed) || !isJsonObject(parsed.mcp)) return false
  return String(parsed.mcp.method).startsWith('audit.')
}
