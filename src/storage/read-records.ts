import { sql, type Kysely } from 'kysely'
import type { RecordQuery, StoredRecord } from '../audit/index.ts'
import { McpworksError } from '../kernel/index.ts'
import type { AuditTables } from './audit-tables.ts'
import { seqOfRecordId } from './record-id.ts'

const readLimit = 1000

/** Records of a log on SQLite. @throws McpworksError `invalid_request` for a query without a bound, `storage_unavailable` */
export async function readRecords(database: Kysely<AuditTables>, query: RecordQuery): Promise<StoredRecord[]> {
  const { namespace, call, afterIndex, afterId, kinds, principal, withoutText, descending = false, limit } = query
  if (!Number.isInteger(limit) || limit < 1 || limit > readLimit || (afterIndex !== undefined && namespace === null)) {
    throw new McpworksError('invalid_request', { detail: 'limit is 1-1000, and afterIndex needs a namespace' })
  }
  const beyond = descending ? '<' : '>'
  let select = database
    .selectFrom('records')
    .innerJoin('logs', 'logs.log', 'records.log')
    .select(['idx', 'id', 'time_ms', 'namespace', 'kind', 'call', 'json'])
    // Within a namespace the two orders are one, but only the right name lets SQLite take the right index.
    .orderBy(namespace === null || call !== undefined ? 'seq' : 'idx', descending ? 'desc' : 'asc')
    .limit(limit)
  if (withoutText !== true) select = select.where('json', '!=', '')
  if (namespace !== null) select = select.where('namespace', '=', namespace)
  if (call !== undefined) select = select.where('call', '=', call)
  if (principal !== undefined) select = select.where('principal', '=', principal)
  if (kinds !== undefined) select = select.where('kind', 'in', [...kinds])
  // The condition of the partial index, word for word, where it is true of what is asked for.
  if (kinds?.every((kind) => kind !== 'decision' && kind !== 'outcome') === true) {
    select = select.where(sql<boolean>`kind NOT IN ('decision', 'outcome')`)
  }
  if (afterIndex !== undefined) select = select.where('idx', beyond, afterIndex)
  if (afterId !== undefined) {
    select = select.where('seq', beyond, (from) =>
      from.selectFrom('records').select('seq').where('seq', '=', seqOfRecordId(afterId)).where('id', '=', afterId),
    )
  }
  try {
    const rows = await select.execute()
    return rows.map((row) => ({
      index: row.idx,
      id: row.id,
      timeMs: row.time_ms,
      namespace: row.namespace,
      kind: row.kind as StoredRecord['kind'],
      call: row.call,
      json: row.json,
    }))
  } catch (cause) {
    throw new McpworksError('storage_unavailable', { cause })
  }
}
