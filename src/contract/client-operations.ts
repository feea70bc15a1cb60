import { z } from 'zod'
import { name, namespace } from './names.ts'
import { lifetimeSeconds } from './lifetime-seconds.ts'
import type { Operation } from './operation.ts'

const agentClient = z.string().regex(/^[a-z0-9]{12}$/, 'the id of an agent client is 12 of a-z and 0-9')
const application = z.string().regex(/^app-[a-z0-9]{12}$/, 'the id of an application is app- and 12 of a-z and 0-9')

/** Operations on OAuth clients: those by which agents get tokens, and the applications that people let act for them. */
export const clientOperations = {
  'client.list': {
    name: 'client.list',
    method: 'GET',
    path: '/api/v1/namespaces/{namespace}/clients',
    effect: 'manage',
    input: z.strictObject(namespace),
    summary: 'Lists the OAuth clients of the agents of a namespace, never their secrets.',
  },
  'client.create': {
    name: 'client.create',
    method: 'POST',
    path: '/api/v1/namespaces/{namespace}/agents/{agent}/clients',
    effect: 'manage',
    input: z.strictObject({
      ...namespace,
      agent: name,
      label: z.string().max(80).default(''),
      keys: z
        .strictObject({ keys: z.array(z.record(z.string(), z.json())).min(1).max(10) })
        .nullable()
        .default(null),
      dpop: z.boolean().default(false),
      expiresInSeconds: lifetimeSeconds,
    }),
    summary:
      'Makes an OAuth client of an agent, for client credentials: with public keys it signs assertions, without it has a secret, which the answer holds once.',
  },
  'client.revoke': {
    name: 'client.revoke',
    method: 'DELETE',
    path: '/api/v1/namespaces/{namespace}/clients/{client}',
    effect: 'manage',
    input: z.strictObject({ ...namespace, client: agentClient }),
    summary: 'Revokes an OAuth client of an agent, and every token that it has, from the next request on.',
  },
  'application.list': {
    name: 'application.list',
    method: 'GET',
    path: '/api/v1/applications',
    effect: 'manage',
    input: z.strictObject({}),
    summary: 'Lists the applications that were added or registered themselves, which people can let act for them.',
  },
  'application.add': {
    name: 'application.add',
    method: 'POST',
    path: '/api/v1/applications',
    effect: 'manage',
    input: z.strictObject({
      title: z.string().min(1).max(60),
      redirects: z.array(z.string().max(2000)).min(1).max(20),
    }),
    summary: 'Adds an application with its redirect URIs. People are told that an operator of this server added it.',
  },
  'application.remove': {
    name: 'application.remove',
    method: 'DELETE',
    path: '/api/v1/applications/{application}',
    effect: 'manage',
    input: z.strictObject({ application }),
    summary: 'Removes an application and ends everything that people let it do.',
  },
  'signing-key.rotate': {
    name: 'signing-key.rotate',
    method: 'POST',
    path: '/api/v1/signing-keys/rotate',
    effect: 'manage',
    input: z.strictObject({}),
    summary:
      'Signs access tokens with a new key from now on. Tokens signed by the old one stay good until they expire.',
  },
} satisfies Record<string, Operation>
