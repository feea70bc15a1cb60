import type { AuditReader, BodiesRow, RecordRow } from './audit-reader.ts'

const pageRecords = 500

/** Records that follow one another, with what lies beside them. */
export interface LogPage {
  readonly rows: readonly RecordRow[]
  readonly bodies: readonly BodiesRow[]
  /** Where the next page begins, `null` where nothing follows before the end. */
  readonly next: number | null
}

/**
 * The page from a sequence number on, up to `end`, which is not included; without rows where there are none.
 * @throws McpworksError `storage_unavailable`
 */
export async function readLogPage(reader: AuditReader, from: number, end: number): Promise<LogPage> {
  if (from >= end) return { rows: [], bodies: [], next: null }
  // Both at once, because a database far away answers each after a while. Where the order has holes more bodies belong here.
  const expected = from + pageRecords - 1
  const [found, beside] = await Promise.all([reader.records(from, pageRecords), reader.bodies(from, expected)])
  const rows = found.filter(({ seq }) => seq < end)
  const last = rows.at(-1)
  if (last === undefined) return { rows, bodies: [], next: null }
  const beyond = last.seq > expected ? await reader.bodies(expected + 1, last.seq) : []
  const bodies = [...beside.filter(({ seq }) => seq <= last.seq), ...beyond]
  return { rows, bodies, next: last.seq + 1 }
}
