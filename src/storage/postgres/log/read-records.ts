import type { RecordQuery, StoredRecord } from '../../../audit/index.ts'
import type { ReadingSessions } from './reading-sessions.ts'
import { selectionOf } from './record-selection.ts'

/** Records of a log on PostgreSQL. @throws McpworksError `invalid_request` for a query without a bound, `storage_unavailable` */
export async function readRecords(sessions: ReadingSessions, query: RecordQuery): Promise<StoredRecord[]> {
  const { sql, parameters } = selectionOf(query)
  const rows = await sessions.read(sql, parameters)
  return rows.map((row) => ({
    index: Number(row['idx']),
    id: String(row['id']),
    timeMs: Number(row['time_ms']),
    namespace: String(row['namespace']),
    kind: row['kind'] as StoredRecord['kind'],
    call: String(row['call']),
    json: String(row['json']),
  }))
}
