import { z } from 'zod'
import { isFunctionName } from '../kernel/index.ts'
import { limitBounds } from './function-limits.ts'

/** A JSON Schema as an author writes it; what is in it is checked where it is used. */
const jsonSchema = z.record(z.string(), z.json())

const limit = (name: keyof typeof limitBounds) => z.int().min(limitBounds[name][0]).max(limitBounds[name][1]).optional()

/** Limits of one call. What is left out is taken from the service, then from the defaults. */
const limitsSchema = z.strictObject({
  wallMs: limit('wallMs'),
  cpuMs: limit('cpuMs'),
  memoryBytes: limit('memoryBytes'),
  processes: limit('processes'),
  openFiles: limit('openFiles'),
  scratchBytes: limit('scratchBytes'),
  resultBytes: limit('resultBytes'),
  outputBytes: limit('outputBytes'),
  innerCalls: limit('innerCalls'),
})

/** MCP tool annotations: hints for clients, never a basis for policy. */
const annotationsSchema = z.strictObject({
  title: z.string().max(200).optional(),
  readOnlyHint: z.boolean().optional(),
  destructiveHint: z.boolean().optional(),
  idempotentHint: z.boolean().optional(),
  openWorldHint: z.boolean().optional(),
})

const functionSchema = z.strictObject({
  /** The file it is in, relative to the service's folder; `<name>.py` or `<name>.ts` where it is left out. */
  file: z.string().max(200).optional(),
  /** The function to call in that file; the function's own name where it is left out. */
  entry: z
    .string()
    .max(100)
    .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: 'the entry is the name of a function in the file' })
    .optional(),
  title: z.string().min(1).max(200).optional(),
  description: z.string().min(1).max(4000).optional(),
  inputSchema: jsonSchema.optional(),
  outputSchema: jsonSchema.optional(),
  annotations: annotationsSchema.optional(),
  /** Tools of the namespace that the code may call on behalf of whoever calls the function, as agents see them: `leads-top`. */
  calls: z
    .array(z.string().regex(/^[\w./-]{1,128}$/, { error: 'tools are named as agents see them, such as leads-top' }))
    .max(64)
    .optional(),
  /** What its results bring into the run of whoever calls it, for policies to see from then on: `untrusted-input`. */
  labels: z
    .array(
      z
        .string()
        .regex(/^[a-z][a-z0-9-]{0,62}$/, { error: 'labels are 1-63 of a-z, 0-9 and hyphen, with a letter first' }),
    )
    .max(16)
    .optional(),
  limits: limitsSchema.optional(),
})

/** `services/<name>/service.yaml`: what the code does not say itself. All of it may be left out. */
export const serviceFileSchema = z.strictObject({
  description: z.string().max(1000).optional(),
  limits: limitsSchema.optional(),
  functions: z
    .record(
      z
        .string()
        .refine(isFunctionName, { error: 'function names are 1-63 of a-z, 0-9 and underscore, with a letter first' }),
      functionSchema,
    )
    .default({}),
})

/** The parsed form of `service.yaml`. */
export type ServiceFile = z.infer<typeof serviceFileSchema>
/** What `service.yaml` says of one function. */
export type FunctionSettings = z.infer<typeof functionSchema>
