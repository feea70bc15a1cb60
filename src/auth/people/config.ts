import { z } from 'zod'
import { isNetwork } from '../../egress/index.ts'

const role = '(?:[a-z][a-z0-9-]{0,38}[a-z0-9]/)?[a-z][a-z0-9-]{0,38}[a-z0-9]'

/** Sign-in at an OpenID Connect issuer. */
const oidcConfigSchema = z.strictObject({
  issuer: z
    .url({ protocol: /^https?$/ })
    .nullable()
    .default(null)
    .describe('Issuer at which people sign in (OpenID Connect Discovery). Without it they cannot.'),
  clientId: z.string().min(1).nullable().default(null).describe('What this server is registered as at the issuer.'),
  clientSecret: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe('Secret: with which this server proves to be that client. Without it, PKCE alone does.'),
  label: z.string().min(1).max(40).default('your organisation').describe('What the issuer is called on the page.'),
  scopes: z
    .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/))
    .default(['openid', 'profile', 'email'])
    .describe('Scopes to ask for. Some issuers give groups only for a scope of their own.'),
  groupsClaim: z.string().min(1).default('groups').describe('Claim of the ID token that lists the groups of a person.'),
  roles: z
    .array(z.string().regex(new RegExp(`^.+=${role}$`), 'group=role, such as staff=viewer or ops=demo/admin'))
    .default([])
    .describe(
      'Which group gives which role: group=role. Set anew at each sign-in for users that the issuer brought; whoever is in no group listed here is not let in.',
    ),
  allowedDomains: z
    .array(z.string().regex(/^[a-z0-9.-]+$/))
    .default([])
    .describe('Domains of verified e-mail addresses that are let in. Empty asks for no address.'),
  createUsers: z
    .boolean()
    .default(false)
    .describe(
      'Whether somebody whom nobody added becomes a user at their first sign-in, with the roles of their groups.',
    ),
  networks: z
    .array(z.string().refine(isNetwork, 'a network in CIDR form, such as 10.1.0.0/16'))
    .default([])
    .describe(
      'Networks beyond the public ones in which the issuer may be. Plain http only to loopback addresses listed.',
    ),
})

/** Sign-in at an OpenID Connect issuer, validated. */
export type OidcConfig = z.output<typeof oidcConfigSchema>

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
  oidc: oidcConfigSchema.prefault({}),
})

/** How people sign in, validated. */
export type PeopleConfig = z.output<typeof peopleConfigSchema>
