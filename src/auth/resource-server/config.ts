import { z } from 'zod'
import { isNetwork } from '../../egress/index.ts'
import { signatureAlgorithms } from '../signatures/signature-algorithm.ts'
import { issuerProfile } from './issuer-profile.ts'

const networks = z
  .array(z.string().refine(isNetwork, 'a network such as 10.1.0.0/16'))
  .max(50)
  .default([])
  .describe(
    'Networks that may be reached for its metadata and keys though they are not public. Plain http only to loopback addresses listed here.',
  )

/** One entry of `auth.issuers`. */
const issuerSchema = z
  .strictObject({
    issuer: z
      .string()
      .max(500)
      .regex(/^https?:\/\/[\x21-\x7e]+$/, 'an issuer identifier such as https://issuer.example')
      .describe('`iss` of its tokens, compared exactly.'),
    profile: z
      .enum(['generic', 'keycloak', 'entra', 'okta', 'auth0', 'google'])
      .default('generic')
      .describe('Which product it is: what its access tokens look like. generic keeps to RFC 9068.'),
    audiences: z
      .array(
        z.strictObject({
          audience: z.string().min(1).max(500).describe('`aud` as the issuer writes it, compared exactly.'),
          resource: z
            .string()
            .regex(/^(mcp\/[a-z][a-z0-9-]*[a-z0-9]|api)$/, 'mcp/NAMESPACE or api')
            .describe('What it means here: mcp/NAMESPACE, or api for the management API.'),
        }),
      )
      .max(1000)
      .default([])
      .describe(
        'For issuers that cannot put the URL of the resource into aud. Each audience must be for one resource here and for no other server. Empty: aud must be that URL.',
      ),
    scopes: z
      .record(z.string().min(1).max(200), z.enum(['mcp', 'admin']))
      .default({ mcp: 'mcp', admin: 'admin' })
      .describe('Scopes, roles or permissions of the issuer, and what each means here. Others mean nothing.'),
    algorithms: z
      .array(z.enum(signatureAlgorithms as [string, ...string[]]))
      .min(1)
      .optional()
      .describe('Signature algorithms taken; by default those that the profile is known to use.'),
    jwksUrl: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe('Where its keys are. Without it they are found by discovery.'),
    networks,
  })
  .superRefine(({ issuer, profile }, context) => {
    const url = URL.parse(issuer)
    if (url === null) return
    const problem = issuerProfile(profile).issuerProblem(url, issuer)
    if (problem !== null)
      context.addIssue({ code: 'custom', path: ['issuer'], message: `the issuer identifier ${problem}` })
  })

/** Settings of foreign access tokens. */
export const issuersConfigSchema = z
  .array(issuerSchema)
  .max(50)
  .default([])
  .superRefine((issuers, context) => {
    for (const [index, { issuer, audiences }] of issuers.entries()) {
      if (issuers.findIndex((other) => other.issuer === issuer) !== index)
        context.addIssue({ code: 'custom', path: [index, 'issuer'], message: 'this issuer is listed twice' })
      if (new Set(audiences.map(({ audience }) => audience)).size !== audiences.length)
        context.addIssue({ code: 'custom', path: [index, 'audiences'], message: 'an audience is listed twice' })
    }
  })
  .describe(
    'Authorization servers besides our own whose access tokens are taken. Each only says who is asking: which agent that is, is said by bindings, and without one there is nobody. See docs/identity-issuers.md.',
  )

/** Settings of opaque tokens. */
export const introspectionConfigSchema = z.strictObject({
  issuer: z
    .string()
    .nullable()
    .default(null)
    .describe(
      'The one of auth.issuers that is asked about tokens that are no JWT (RFC 7662). One only: such a token does not say whose it is.',
    ),
  endpoint: z
    .url({ protocol: /^https?$/ })
    .nullable()
    .default(null)
    .describe('Where it is asked. Without it the address is found by discovery.'),
  clientId: z.string().max(500).default('').describe('Name under which this server asks.'),
  clientSecret: z.string().max(2000).default('').describe('Secret: what this server authenticates with there.'),
  cacheSeconds: z
    .number()
    .int()
    .min(0)
    .max(300)
    .default(30)
    .describe('Seconds that an answer is relied on. A token revoked at the issuer works for that much longer.'),
})

/** Settings of verifying tokens. */
export const tokensConfigSchema = z.strictObject({
  clockSkewSeconds: z
    .number()
    .int()
    .min(0)
    .max(120)
    .default(30)
    .describe('Seconds that clocks of foreign issuers may differ from ours.'),
  keysFreshSeconds: z
    .number()
    .int()
    .min(10)
    .max(86_400)
    .default(300)
    .describe(
      'Seconds after which keys of an issuer are fetched again. A key withdrawn there works for that much longer.',
    ),
  keysKeptSeconds: z
    .number()
    .int()
    .min(10)
    .max(604_800)
    .default(14_400)
    .describe(
      'Seconds that the last good keys of an issuer are relied on while new ones cannot be fetched. After that its tokens are refused.',
    ),
  maxCached: z
    .number()
    .int()
    .min(0)
    .max(1_000_000)
    .default(10_000)
    .describe('Verified tokens remembered, by their hash. Revocation is looked at with every request all the same.'),
})

/** Settings of DPoP. */
export const dpopConfigSchema = z.strictObject({
  nonce: z
    .enum(['off', 'required'])
    .default('off')
    .describe('Whether proofs need a nonce of this server. Clients that do not know nonces cannot enter then.'),
  nonceSeconds: z
    .number()
    .int()
    .min(10)
    .max(3600)
    .default(120)
    .describe('Seconds after which there is a new nonce. Each is good for one to two times as long.'),
  replay: z
    .enum(['memory', 'database'])
    .default('memory')
    .describe(
      'Where used proofs are remembered. memory is for one node: proofs made before its start are refused. database is for several nodes on one state store, and costs a write with every request.',
    ),
  maxRemembered: z
    .number()
    .int()
    .min(1000)
    .max(10_000_000)
    .default(500_000)
    .describe('Proofs remembered in memory, each for up to ten minutes; further ones are refused until some expire.'),
})

/** A trusted issuer of access tokens, validated. */
export type IssuerConfig = z.output<typeof issuerSchema>

/** Settings of opaque tokens, validated. */
export type IntrospectionConfig = z.output<typeof introspectionConfigSchema>

/** Settings of verifying tokens, validated. */
export type TokensConfig = z.output<typeof tokensConfigSchema>

/** Settings of DPoP, validated. */
export type DpopConfig = z.output<typeof dpopConfigSchema>
