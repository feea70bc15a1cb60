import { z } from 'zod'
import { isNetwork } from '../../egress/index.ts'

/** Credentials for third-party servers. */
export const upstreamConfigSchema = z.strictObject({
  networks: z
    .array(z.string().refine(isNetwork, 'a network in CIDR form, such as 10.1.0.0/16'))
    .default([])
    .describe(
      'Networks beyond the public ones in which third-party servers and their authorization servers may be. Plain http only to loopback addresses that are listed.',
    ),
  refreshAheadSeconds: z
    .number()
    .int()
    .min(5)
    .max(3600)
    .default(120)
    .describe('Seconds before an access token expires from which a new one is asked for.'),
  connectSeconds: z
    .number()
    .int()
    .min(60)
    .max(3600)
    .default(600)
    .describe('Seconds that a person has to come back from the authorization server of a third party.'),
})

/** Credentials for third-party servers, validated. */
export type UpstreamConfig = z.output<typeof upstreamConfigSchema>
