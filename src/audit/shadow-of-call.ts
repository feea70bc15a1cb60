import { z } from 'zod'
import type { StoredRecord } from './record.ts'

/** How policies that were tried beside those in force would have decided a call. */
export interface ShadowOfCall {
  readonly policySetHash: string
  /** What would have decided; `null` where it would have come out the same. */
  readonly difference: { readonly kind: string; readonly basis: string; readonly by: readonly string[] } | null
}

const recordSchema = z.object({
  event: z.object({
    type: z.literal('shadow-decisions'),
    policy_set: z.string(),
    same: z.array(z.string()),
    differences: z.array(
      z.object({
        call: z.string(),
        kind: z.string(),
        after: z.object({ basis: z.string(), by: z.array(z.string()) }),
      }),
    ),
  }),
})

/** Finds a call in records of the kind `shadow`; `null` where none of them tells of it. */
export function shadowOfCall(call: string, records: readonly StoredRecord[]): ShadowOfCall | null {
  for (const { json } of records) {
    // Most records tell of other calls, and reading one costs more than looking for a text in it.
    const parsed = json.includes(call) ? recordSchema.safeParse(JSON.parse(json)) : null
    if (parsed?.success !== true) continue
    const { policy_set: policySetHash, same, differences } = parsed.data.event
    if (same.includes(call)) return { policySetHash, difference: null }
    const found = differences.find((difference) => difference.call === call)
    if (found !== undefined) return { policySetHash, difference: { kind: found.kind, ...found.after } }
  }
  return null
}
