import { z } from 'zod'

/** Files of a directory by relative path; each has its content once, as UTF-8 `text` or as `base64` (RFC 4648 section 4). */
export const policyFiles = z
  .array(
    z.strictObject({ path: z.string().min(1).max(300), text: z.string().optional(), base64: z.string().optional() }),
  )
  .max(1000)
