import { z } from 'zod'

const hash = z.string().nullable()

const recordSchema = z.object({
  call: z.string(),
  namespace: z.string(),
  time: z.string(),
  pre: z.object({
    principal: z.object({ id: z.string(), type: z.string() }),
    target: z.object({ tool: z.string(), definition_hash: hash, code_hash: hash, service: z.string().nullable() }),
    derived: z.object({ untold: z.array(z.string()).default([]) }).default({ untold: [] }),
  }),
  decision: z.object({
    effect: z.enum(['allow', 'deny']),
    basis: z.string(),
    engine: z.object({ name: z.string(), version: z.string() }).nullable(),
    policy_set_hash: hash,
    schema_hash: hash,
    entities_hash: hash,
    request_hash: hash,
    /** Values that were struck out of the engine's input before it was kept. */
    request_redactions: z.number().default(0),
    determining: z.array(z.object({ id: z.string(), effect: z.string(), text_hash: z.string() })),
    errors: z.array(z.object({ policy_id: z.string().nullable().default(null), message: z.string() })),
  }),
})

/** What a decision record says of the decision: who asked for what, what came out, and what it was made from. */
export type RecordedVerdict = z.output<typeof recordSchema>

/** Reads the text of a decision record; `null` where it is none. Does not verify it: `audit verify` and proofs do. */
export function recordedVerdict(json: string): RecordedVerdict | null {
  try {
    const parsed = recordSchema.safeParse(JSON.parse(json))
    return parsed.success ? parsed.data : null
  } catch {
    // No JSON: the same as another form.
    return null
  }
}
