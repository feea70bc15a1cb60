import { z } from 'zod'

/** For how long a credential is good, a minute to a year; `null`: until it is revoked. */
export const lifetimeSeconds = z
  .number()
  .int()
  .min(60)
  .max(366 * 86_400)
  .nullable()
  .default(null)
