import type { Hold } from '../../../audit/index.ts'

const holdRows = 'SELECT hold, namespace, subject, reason, placed_by, placed_ms FROM holds JOIN logs USING (log)'

/** Holds of the logs in `$1`, oldest first. */
export const holdsOfLogs = `${holdRows} WHERE log = ANY ($1::int[]) ORDER BY placed_ms, hold`

/** Holds of the namespace `$1`, of all where it is NULL, oldest first. */
export const holdsOfNamespace = `${holdRows} WHERE namespace = COALESCE($1, namespace) ORDER BY placed_ms, hold`

/** A row as the hold that it is. */
export function holdOfRow(row: Record<string, unknown>): Hold {
  return {
    id: String(row['hold']),
    namespace: String(row['namespace']),
    subject: row['subject'] as string | null,
    reason: String(row['reason']),
    placedBy: String(row['placed_by']),
    placedMs: Number(row['placed_ms']),
  }
}
