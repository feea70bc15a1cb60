import { z } from 'zod'
import { isNetwork } from '../../egress/index.ts'

const hosts = z
  .array(z.string().regex(/^(\*\.)?[a-z0-9.-]+$/, 'a lower-case host name, or one below *.'))
  .max(200)
  .default([])

/** The embedded authorization server. */
export const authorizationServerConfigSchema = z.strictObject({
  enabled: z
    .boolean()
    .default(true)
    .describe(
      'Whether this server issues tokens of its own. Without it, those of trusted issuers and API keys are left.',
    ),
  signingAlgorithm: z
    .enum(['ES256', 'EdDSA'])
    .default('ES256')
    .describe('Algorithm that access tokens are signed by. A change makes a new key; older ones stay published.'),
  signingKeyDays: z
    .number()
    .int()
    .min(1)
    .max(366)
    .default(90)
    .describe(
      'Days after which a new signing key is made. Old keys stay published until their last token has expired.',
    ),
  grantMaxDays: z
    .number()
    .int()
    .min(1)
    .max(366)
    .default(90)
    .describe('Most days that a person can let a client act as an agent before being asked again.'),
  refreshIdleDays: z
    .number()
    .int()
    .min(1)
    .max(366)
    .default(14)
    .describe('Days without use after which a refresh token is no longer good.'),
  clientDocuments: z
    .enum(['public', 'listed', 'off'])
    .default('public')
    .describe(
      'Clients that describe themselves by a document at their own https URL: from any public host, from hosts of clientDocumentHosts only, or none. Who wrote a document is known by its host alone.',
    ),
  clientDocumentHosts: hosts.describe('Hosts whose client documents are taken where clientDocuments is "listed".'),
  refusedClientHosts: hosts.describe('Hosts whose client documents are never taken.'),
  clientDocumentNetworks: z
    .array(z.string().refine(isNetwork, 'a network such as 10.1.0.0/16'))
    .max(50)
    .default([])
    .describe(
      'Networks besides public addresses where client documents may lie, for clients of an own organisation. Empty: public addresses only.',
    ),
  registration: z
    .enum(['off', 'loopback', 'open'])
    .default('off')
    .describe(
      'Whether clients may register themselves (RFC 7591): with redirects to the own machine only, or to any https URL. Such a client is vouched for by nobody.',
    ),
  registrationMaxClients: z
    .number()
    .int()
    .min(1)
    .max(100_000)
    .default(1000)
    .describe('Clients that registered themselves, in all. Further ones are refused.'),
  registrationDays: z
    .number()
    .int()
    .min(1)
    .max(366)
    .default(30)
    .describe('Days after which a client that registered itself is forgotten.'),
})

/** The embedded authorization server, validated. */
export type AuthorizationServerConfig = z.output<typeof authorizationServerConfigSchema>
