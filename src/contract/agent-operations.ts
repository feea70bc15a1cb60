import { z } from 'zod'
import { lifetimeSeconds } from './lifetime-seconds.ts'
import { name, namespace } from './names.ts'
import type { Operation } from './operation.ts'

const keyId = z.string().regex(/^[a-z0-9]{12}$/, 'a key id is 12 of a-z and 0-9')

/** Operations on agents and on what they prove themselves with. */
export const agentOperations = {
  'agent.list': {
    name: 'agent.list',
    method: 'GET',
    path: '/api/v1/namespaces/{namespace}/agents',
    effect: 'manage',
    input: z.strictObject(namespace),
    summary: 'Lists the agents of a namespace.',
  },
  'agent.add': {
    name: 'agent.add',
    method: 'POST',
    path: '/api/v1/namespaces/{namespace}/agents',
    effect: 'manage',
    input: z.strictObject({
      ...namespace,
      agent: name,
      groups: z.array(name).max(50).default([]),
      owner: name.optional(),
      senderConstrainedOnly: z.boolean().default(false),
    }),
    summary: 'Adds an agent. It may do nothing until a policy says so. The owner is the user who adds it unless given.',
  },
  'agent.show': {
    name: 'agent.show',
    method: 'GET',
    path: '/api/v1/namespaces/{namespace}/agents/{agent}',
    effect: 'manage',
    input: z.strictObject({ ...namespace, agent: name }),
    summary: 'Shows an agent and its credentials, never their secrets.',
  },
  'agent.set': {
    name: 'agent.set',
    method: 'POST',
    path: '/api/v1/namespaces/{namespace}/agents/{agent}',
    effect: 'manage',
    input: z.strictObject({
      ...namespace,
      agent: name,
      groups: z.array(name).max(50).optional(),
      owner: name.nullable().optional(),
      senderConstrainedOnly: z.boolean().optional(),
    }),
    summary:
      'Changes groups, owner, or whether only sender-constrained credentials are taken; leaves what is not given.',
  },
  'agent.disable': {
    name: 'agent.disable',
    method: 'POST',
    path: '/api/v1/namespaces/{namespace}/agents/{agent}/disable',
    effect: 'manage',
    input: z.strictObject({ ...namespace, agent: name }),
    summary: 'Refuses an agent from its next request on and cuts off what it has under way, until it is enabled again.',
  },
  'agent.enable': {
    name: 'agent.enable',
    method: 'POST',
    path: '/api/v1/namespaces/{namespace}/agents/{agent}/enable',
    effect: 'manage',
    input: z.strictObject({ ...namespace, agent: name }),
    summary: 'Takes the credentials of a disabled agent again.',
  },
  'agent.revoke': {
    name: 'agent.revoke',
    method: 'DELETE',
    path: '/api/v1/namespaces/{namespace}/agents/{agent}',
    effect: 'manage',
    input: z.strictObject({ ...namespace, agent: name }),
    summary: 'Revokes an agent and all its keys. The name is never used again.',
  },
  'key.list': {
    name: 'key.list',
    method: 'GET',
    path: '/api/v1/namespaces/{namespace}/agents/{agent}/keys',
    effect: 'manage',
    input: z.strictObject({ ...namespace, agent: name }),
    summary: 'Lists the keys of an agent, never their secrets.',
  },
  'key.create': {
    name: 'key.create',
    method: 'POST',
    path: '/api/v1/namespaces/{namespace}/agents/{agent}/keys',
    effect: 'manage',
    input: z.strictObject({
      ...namespace,
      agent: name,
      label: z.string().max(80).default(''),
      expiresInSeconds: lifetimeSeconds,
    }),
    summary: 'Makes an API key for an agent. The answer holds the secret, once.',
  },
  'key.revoke': {
    name: 'key.revoke',
    method: 'DELETE',
    path: '/api/v1/namespaces/{namespace}/keys/{key}',
    effect: 'manage',
    input: z.strictObject({ ...namespace, key: keyId }),
    summary: 'Revokes a key at once.',
  },
  'binding.list': {
    name: 'binding.list',
    method: 'GET',
    path: '/api/v1/namespaces/{namespace}/bindings',
    effect: 'manage',
    input: z.strictObject(namespace),
    summary: 'Lists which workloads act as which agents, and the issuers that are trusted.',
  },
  'binding.add': {
    name: 'binding.add',
    method: 'POST',
    path: '/api/v1/namespaces/{namespace}/agents/{agent}/bindings',
    effect: 'manage',
    input: z.strictObject({
      ...namespace,
      agent: name,
      issuer: z.string().min(1).max(500).nullable().default(null),
      preset: z.enum(['generic', 'kubernetes', 'github-actions', 'spiffe']).nullable().default(null),
      match: z.record(z.string().max(200), z.string().max(500)),
      label: z.string().max(80).default(''),
      scopes: z
        .array(z.enum(['mcp', 'admin']))
        .min(1)
        .max(2)
        .default(['mcp']),
      expiresInSeconds: lifetimeSeconds,
    }),
    summary:
      'Lets workloads whose claims match act as an agent. The issuer is named by its identifier, or by its preset where one alone is trusted.',
  },
  'binding.remove': {
    name: 'binding.remove',
    method: 'DELETE',
    path: '/api/v1/namespaces/{namespace}/bindings/{binding}',
    effect: 'manage',
    input: z.strictObject({ ...namespace, binding: keyId }),
    summary: 'Removes a binding; tokens that were issued under it end at once.',
  },
  'binding.try': {
    name: 'binding.try',
    method: 'POST',
    path: '/api/v1/namespaces/{namespace}/bindings/try',
    effect: 'manage',
    input: z.strictObject({
      ...namespace,
      header: z.record(z.string().max(200), z.json()),
      claims: z.record(z.string().max(200), z.json()),
    }),
    summary:
      'Tells which binding an assertion would match and why others do not, from its header and claims. Takes no signature, so that no assertion reaches the records, and issues nothing.',
  },
  'credential.list': {
    name: 'credential.list',
    method: 'GET',
    path: '/api/v1/namespaces/{namespace}/credentials',
    effect: 'manage',
    input: z.strictObject({ ...namespace, agent: name.optional() }),
    summary: 'Lists what agents can enter with: API keys, clients, consents, bindings. Never a secret.',
  },
  'credential.revoke': {
    name: 'credential.revoke',
    method: 'DELETE',
    path: '/api/v1/namespaces/{namespace}/credentials/{credential}',
    effect: 'manage',
    input: z.strictObject({ ...namespace, credential: keyId }),
    summary: 'Revokes a credential of any kind at once, and with it every token that was issued under it.',
  },
} satisfies Record<string, Operation>
