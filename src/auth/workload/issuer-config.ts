import { z } from 'zod'
import { isNetwork } from '../../egress/index.ts'
import { signatureAlgorithms } from '../signatures/signature-algorithm.ts'

/** One entry of `auth.workload.issuers`. */
export const issuerConfigSchema = z.strictObject({
  preset: z
    .enum(['generic', 'kubernetes', 'github-actions', 'spiffe'])
    .default('generic')
    .describe('Kind of issuer: sets the defaults below and what a binding to it must name.'),
  issuer: z
    .string()
    .regex(/^(https?|spiffe):\/\/[\x21-\x7e]+$/, 'an issuer identifier such as https://issuer.example')
    .optional()
    .describe('`iss` of its assertions, compared exactly. Has a default for github-actions and spiffe.'),
  trustDomain: z
    .string()
    .regex(/^[a-z0-9._-]{1,255}$/, 'a trust domain such as example.org')
    .optional()
    .describe('SPIFFE trust domain that it speaks for. Only with spiffe, and needed there.'),
  jwksUrl: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe(
      'Where its keys are. Without it and without keys they are found by discovery from the issuer identifier.',
    ),
  keys: z
    .array(z.record(z.string(), z.json()))
    .min(1)
    .max(50)
    .optional()
    .describe('Its public keys (JWK, RFC 7517) themselves; nothing is fetched then, and a rotation needs a restart.'),
  algorithms: z
    .array(z.enum(signatureAlgorithms as [string, ...string[]]))
    .min(1)
    .optional()
    .describe(
      'Signature algorithms taken (default RS256, ES256, EdDSA and Ed25519; RS256 for kubernetes and github-actions).',
    ),
  jti: z
    .enum(['single-use', 'reusable'])
    .optional()
    .describe(
      'Whether an assertion is taken once only, which needs a jti in it (default single-use; reusable for kubernetes and spiffe, whose workloads send one assertion many times). Identity assertions are single-use whatever this says.',
    ),
  maxAssertionSeconds: z
    .number()
    .int()
    .min(30)
    .max(86_400)
    .optional()
    .describe('Longest time between issue and expiry of an assertion (default 3600; 86400 for kubernetes).'),
  audiences: z
    .array(z.string().min(1).max(500))
    .max(10)
    .default([])
    .describe(
      'Values of aud taken besides the token endpoint and the issuer identifier of this server. Each must be one that is meant for this server alone.',
    ),
  networks: z
    .array(z.string().refine(isNetwork, 'a network such as 10.1.0.0/16'))
    .max(50)
    .default([])
    .describe(
      'Networks that may be reached for its metadata and keys though they are not public. Plain http only to loopback addresses listed here.',
    ),
  workloads: z.boolean().default(true).describe('Take assertions of its workloads (SEP-1933).'),
  identityAssertions: z
    .boolean()
    .default(false)
    .describe('Take identity assertions about its people from authenticated clients (ID-JAG).'),
})

/** The same, validated. */
export type IssuerConfig = z.output<typeof issuerConfigSchema>
