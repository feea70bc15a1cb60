import { z } from 'zod'

/** How people sign in, and for how long. */
export const peopleConfigSchema = z.strictObject({
  sessionSeconds: z
    .number()
    .int()
    .min(300)
    .max(30 * 86_400)
    .default(12 * 3600)
    .describe('Seconds after which a person must sign in again, however busy the session is.'),
  sessionIdleSeconds: z
    .number()
    .int()
    .min(60)
    .max(30 * 86_400)
    .default(3600)
    .describe('Seconds without a request after which a session ends. Is kept to about a minute.'),
  linkSeconds: z
    .number()
    .int()
    .min(60)
    .max(86_400)
    .default(3600)
    .describe(
      'Seconds that a one-time link stays good, with which a person sets a passkey or a password. Whoever has the link can.',
    ),
  passwords: z
    .boolean()
    .default(true)
    .describe(
      'Whether people may have passwords. With false only passkeys and the issuer of auth.people.oidc are left.',
    ),
})

/** How people sign in, validated. */
export type PeopleConfig = z.output<typeof peopleConfigSchema>
