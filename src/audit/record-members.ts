import { z } from 'zod'

/** The form of `Digest`. */
export const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/)

/** A whole number from 0. */
export const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER)

/** A number from 0. */
export const amount = z.number().min(0)

/** UTC, to the millisecond. */
export const time = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)

/** A member that is left out where there is nothing to say. */
export function absentOr<Schema extends z.ZodType>(schema: Schema) {
  return schema.exactOptional()
}
