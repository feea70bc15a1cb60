import { z } from 'zod'

const policySet = z.object({
  policySetHash: z.string(),
  sources: z.array(z.object({ file: z.string(), text: z.string() })),
  /** The platform's own policies of then. */
  builtIn: z.string(),
})

const tool = z.object({
  definitionHash: z.string(),
  name: z.string(),
  service: z.string(),
  inputSchema: z.record(z.string(), z.json()),
})

const decisionCase = z.object({
  index: z.number(),
  /** RFC 8785 text of the record, as the log holds it. */
  record: z.string(),
  /** The engine's input, with the salt (hexadecimal) of its commitment in the record; `null` where it was not kept. */
  engineInput: z.object({ text: z.string(), salt: z.string() }).nullable(),
  /** A sentence on what became of the text or of the input where it is not there any more; `null` where it was not looked up. */
  gone: z.string().nullable(),
})

/**
 * Decisions with all that it takes to make them again: what the server answers, and what is read back without trusting
 * it. Policy sets and tools are those that the records name, as far as they are still there, each once.
 */
export const decisionCasesSchema = z.object({
  namespace: z.string(),
  policySets: z.array(policySet),
  tools: z.array(tool),
  /** Newest first. */
  cases: z.array(decisionCase),
  /** Where the next page begins; `null` at the end. */
  before: z.number().nullable(),
})

/** A page of them. */
export type DecisionCases = z.output<typeof decisionCasesSchema>

/** One of them. */
export type DecisionCase = z.output<typeof decisionCase>
