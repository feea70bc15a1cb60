import type { DatabaseSync } from 'node:sqlite'

/** An allowed decision that has no outcome yet. */
export interface OpenDecision {
  readonly seq: number
  readonly id: string
  readonly namespace: string
  readonly run: string
  readonly call: string
  readonly parentCall: string | null
  readonly trace: string | null
}

/** Allowed decisions without `outcome` or `abandoned` at or after a sequence number, oldest first. @throws SQLite's own errors */
export function findOpenDecisions(database: DatabaseSync, fromSeq: number): OpenDecision[] {
  const rows = database
    .prepare(
      `SELECT seq, kind, call, CASE kind WHEN 'decision' THEN json END AS json FROM records
       WHERE seq >= ? AND kind IN ('decision', 'outcome', 'abandoned') ORDER BY seq`,
    )
    .iterate(fromSeq)
  return collectOpenDecisions(rows)
}

/** Those of rows with `seq`, `kind`, `call`, and the `json` of decisions, in the order of writing. */
export function collectOpenDecisions(rows: Iterable<Record<string, unknown>>): OpenDecision[] {
  const open = new Map<string, OpenDecision>()
  for (const row of rows) {
    if (row['kind'] !== 'decision') {
      open.delete(String(row['call']))
      continue
    }
    const record = JSON.parse(String(row['json'])) as DecisionEnvelope
    if (record.decision.effect !== 'allow') continue
    const { id, namespace, run, call, parent_call: parentCall, trace } = record
    open.set(call, { seq: Number(row['seq']), id, namespace, run, call, parentCall, trace })
  }
  return [...open.values()]
}

interface DecisionEnvelope {
  readonly id: string
  readonly namespace: string
  readonly run: string
  readonly call: string
  readonly parent_call: string | null
  readonly trace: string | null
  readonly decision: { readonly effect: string }
}
