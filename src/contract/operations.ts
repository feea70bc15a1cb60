import { z } from 'zod'
import { factOperations } from './fact-operations.ts'
import { lifetimeSeconds } from './lifetime-seconds.ts'
import { auditOperations } from './audit-operations.ts'
import { analysisOperations } from './analysis-operations.ts'
import { approvalOperations } from './approval-operations.ts'
import { clientOperations } from './client-operations.ts'
import type { Operation } from './operation.ts'
import { policyCase } from './policy-case.ts'
import { policyFiles as files } from './policy-files.ts'
import { policySetHash as policySet } from './policy-set-hash.ts'
import { replayOperations } from './replay-operations.ts'
import { templateOperations } from './template-operations.ts'
import { userOperations } from './user-operations.ts'

const name = z.string().regex(/^[a-z][a-z0-9-]{0,38}[a-z0-9]$/, 'names are 2-40 of a-z, 0-9 and hyphen, a letter first')
const namespace = { namespace: name }
const toolName = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,128}$/, 'tool names are 1-128 letters, digits, hyphens and underscores')
const callId = z.string().regex(/^[0-9a-f-]{36}$/, 'a call id is a UUID')
const reason = z.string().trim().min(1).max(500)
const keyId = z.string().regex(/^[a-z0-9]{12}$/, 'a key id is 12 of a-z and 0-9')

/** Why something is done, in the words of whoever does it. */
const comment = z.string().max(500).default('')

/** The management API, as data: HTTP routes, CLI commands and documentation are made from it. */
export const operations = {
  'namespace.list': {
    name: 'namespace.list',
    method: 'GET',
    path: '/api/v1/namespaces',
    effect: 'manage',
    input: z.strictObject({}),
    summary: 'Lists the namespaces.',
  },
  'namespace.close': {
    name: 'namespace.close',
    method: 'POST',
    path: '/api/v1/namespaces/{namespace}/close',
    effect: 'manage',
    input: z.strictObject({ ...namespace, reason }),
    summary:
      'Closes a namespace: no credential of its agents is good, calls under way are cut off, until it is opened again.',
  },
  'namespace.open': {
    name: 'namespace.open',
    method: 'POST',
    path: '/api/v1/namespaces/{namespace}/open',
    effect: 'manage',
    input: z.strictObject(namespace),
    summary: 'Opens a namespace that was closed.',
  },
  'platform.close': {
    name: 'platform.close',
    method: 'POST',
    path: '/api/v1/close',
    effect: 'manage',
    input: z.strictObject({ reason }),
    summary: 'Closes all namespaces at once, those made later included.',
  },
  'platform.open': {
    name: 'platform.open',
    method: 'POST',
    path: '/api/v1/open',
    effect: 'manage',
    input: z.strictObject({}),
    summary: 'Ends the closure of all namespaces. Those that were closed one by one stay closed.',
  },
  'state.apply': {
    name: 'state.apply',
    method: 'POST',
    path: '/api/v1/namespaces/{namespace}/apply',
    effect: 'manage',
    input: z.strictObject({
      ...namespace,
      files,
      dryRun: z.boolean().default(false),
      comment,
      base: policySet.nullable().default(null),
    }),
    summary: 'Makes the namespace be what a directory of files says; with dryRun, only tells what would change.',
  },
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
  'function.list': {
    name: 'function.list',
    method: 'GET',
    path: '/api/v1/namespaces/{namespace}/functions',
    effect: 'manage',
    input: z.strictObject(namespace),
    summary: 'Lists the functions of a namespace with their active versions.',
  },
  'function.show': {
    name: 'function.show',
    method: 'GET',
    path: '/api/v1/namespaces/{namespace}/functions/{tool}',
    effect: 'manage',
    input: z.strictObject({ ...namespace, tool: toolName }),
    summary: 'Shows a function: schemas, limits, files, versions.',
  },
  'function.add': {
    name: 'function.add',
    method: 'POST',
    path: '/api/v1/namespaces/{namespace}/services/{service}/functions',
    effect: 'manage',
    input: z.strictObject({ ...namespace, service: name, files }),
    summary: 'Adds functions to a service, or new versions of them, from their files.',
  },
  'policy.check': {
    name: 'policy.check',
    method: 'POST',
    path: '/api/v1/namespaces/{namespace}/policies/check',
    effect: 'manage',
    input: z.strictObject({ ...namespace, files: files.nullable().default(null) }),
    summary: 'Checks policy files against the catalogue without putting them in force; without files, those in force.',
  },
  'policy.test': {
    name: 'policy.test',
    method: 'POST',
    path: '/api/v1/namespaces/{namespace}/policies/test',
    effect: 'manage',
    input: z.strictObject({
      ...namespace,
      files: files.nullable().default(null),
      cases: z.array(policyCase).min(1).max(10_000),
    }),
    summary:
      'Decides calls that could be made, under policy files or those in force, and compares with what is expected.',
  },
  'policy.history': {
    name: 'policy.history',
    method: 'GET',
    path: '/api/v1/namespaces/{namespace}/policies/history',
    effect: 'manage',
    input: z.strictObject(namespace),
    summary: 'Lists which policies were put in force, when, by whom and why, newest first.',
  },
  'policy.show': {
    name: 'policy.show',
    method: 'GET',
    path: '/api/v1/namespaces/{namespace}/policies',
    effect: 'manage',
    input: z.strictObject({ ...namespace, policySet: policySet.nullable().default(null) }),
    summary: 'Shows the files of a policy set: those in force, or those of any set that ever was.',
  },
  'policy.activate': {
    name: 'policy.activate',
    method: 'POST',
    path: '/api/v1/namespaces/{namespace}/policies/activate',
    effect: 'manage',
    input: z.strictObject({ ...namespace, policySet, base: policySet.nullable().default(null), comment }),
    summary: 'Puts a policy set in force again that was before, if it still fits the tools.',
  },
  'policy.explain': {
    name: 'policy.explain',
    method: 'POST',
    path: '/api/v1/namespaces/{namespace}/policies/explain',
    effect: 'manage',
    input: z.strictObject({
      ...namespace,
      agent: name.nullable().default(null),
      tool: toolName.nullable().default(null),
      arguments: z.record(z.string(), z.json()).nullable().default(null),
    }),
    summary: 'Tells what an agent may call, who may call a tool, or how one call would be decided and why.',
  },
  'audit.tail': {
    name: 'audit.tail',
    method: 'GET',
    path: '/api/v1/namespaces/{namespace}/audit/records',
    effect: 'audit',
    input: z.strictObject({
      ...namespace,
      after: z.coerce.number().int().min(-1).optional(),
      limit: z.coerce.number().int().min(1).max(1000).default(50),
      kind: z.string().max(40).optional(),
      principal: z.string().max(100).optional(),
      reads: z.stringbool().or(z.boolean()).default(false),
      waitSeconds: z.coerce.number().int().min(0).max(30).default(0),
    }),
    summary:
      'Reads records: the newest, or those after an index; waits for some if there are none. Reads of the log itself are left out unless asked for.',
  },
  'audit.why': {
    name: 'audit.why',
    method: 'GET',
    path: '/api/v1/namespaces/{namespace}/audit/calls/{call}',
    effect: 'audit',
    input: z.strictObject({ ...namespace, call: callId }),
    summary: 'Everything on one call: decision, reason, outcome, proof.',
  },
  ...auditOperations,
  ...replayOperations,
  ...templateOperations,
  ...analysisOperations,
  ...factOperations,
  ...userOperations,
  ...clientOperations,
  ...approvalOperations,
  'upstream.list': {
    name: 'upstream.list',
    method: 'GET',
    path: '/api/v1/namespaces/{namespace}/upstreams',
    effect: 'manage',
    input: z.strictObject(namespace),
    summary: 'Lists third-party servers with the state of their credentials, never the credentials.',
  },
  'upstream.show': {
    name: 'upstream.show',
    method: 'GET',
    path: '/api/v1/namespaces/{namespace}/upstreams/{server}',
    effect: 'manage',
    input: z.strictObject({ ...namespace, server: name }),
    summary: 'Shows a third-party server and whose credentials for it there are.',
  },
  'upstream.add': {
    name: 'upstream.add',
    method: 'POST',
    path: '/api/v1/namespaces/{namespace}/upstreams',
    effect: 'manage',
    input: z.strictObject({
      ...namespace,
      server: name,
      url: z.string().min(1).max(2000),
      method: z.enum(['oauth', 'client-credentials', 'header']).default('oauth'),
      owner: z.enum(['namespace', 'user']).default('namespace'),
      issuer: z.string().min(1).max(2000).nullable().default(null),
      clientId: z
        .string()
        .regex(/^[\x21-\x7e]{1,500}$/, 'a client id is of printable characters without blanks')
        .nullable()
        .default(null),
      scopes: z
        .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/, 'a scope has no blanks, quotes or backslashes'))
        .max(50)
        .default([]),
      header: z
        .string()
        .regex(/^[a-z0-9-]{1,100}$/, 'the name of a header, in lower case')
        .default('authorization'),
      prefix: z
        .string()
        .regex(/^[\x20-\x7e]{0,50}$/, 'what stands before the secret, such as "Bearer "')
        .default('Bearer '),
    }),
    summary: 'Adds a third-party server. Nothing is sent there before somebody connects or checks it.',
  },
  'upstream.connect': {
    name: 'upstream.connect',
    method: 'POST',
    path: '/api/v1/namespaces/{namespace}/upstreams/{server}/connect',
    effect: 'manage',
    input: z.strictObject({ ...namespace, server: name }),
    summary: "Tells on which page a person consents for the namespace, at the server's authorization server.",
  },
  'upstream.connect-own': {
    name: 'upstream.connect-own',
    method: 'POST',
    path: '/api/v1/namespaces/{namespace}/upstreams/{server}/connect-own',
    effect: 'manage',
    input: z.strictObject({ ...namespace, server: name }),
    summary: 'The same for a server where each person uses an account of their own.',
  },
  'upstream.set-secret': {
    name: 'upstream.set-secret',
    method: 'POST',
    path: '/api/v1/namespaces/{namespace}/upstreams/{server}/secret',
    effect: 'manage',
    input: z.strictObject({
      ...namespace,
      server: name,
      kind: z.enum(['header', 'client']),
      secret: z.string().min(1).max(8192),
    }),
    secret: 'secret',
    summary: 'Stores the value of a header, or the secret of our client at the authorization server. Kept sealed.',
  },
  'upstream.check': {
    name: 'upstream.check',
    method: 'POST',
    path: '/api/v1/namespaces/{namespace}/upstreams/{server}/check',
    effect: 'manage',
    input: z.strictObject({ ...namespace, server: name }),
    summary: 'Makes one MCP request to the server with the credential and tells how it was answered.',
  },
  'upstream.disconnect': {
    name: 'upstream.disconnect',
    method: 'POST',
    path: '/api/v1/namespaces/{namespace}/upstreams/{server}/disconnect',
    effect: 'manage',
    input: z.strictObject({ ...namespace, server: name, user: name.nullable().default(null) }),
    summary: 'Revokes and forgets a credential: that of the namespace, or of one user.',
  },
  'upstream.remove': {
    name: 'upstream.remove',
    method: 'DELETE',
    path: '/api/v1/namespaces/{namespace}/upstreams/{server}',
    effect: 'manage',
    input: z.strictObject({ ...namespace, server: name }),
    summary: 'Revokes and forgets every credential of a server, and the server.',
  },
  'upstream.rotate-key': {
    name: 'upstream.rotate-key',
    method: 'POST',
    path: '/api/v1/namespaces/{namespace}/upstream-key/rotate',
    effect: 'manage',
    input: z.strictObject(namespace),
    summary: "Seals the namespace's upstream secrets anew under a new data key and destroys the old one.",
  },
  'platform.doctor': {
    name: 'platform.doctor',
    method: 'GET',
    path: '/api/v1/doctor',
    effect: 'manage',
    input: z.strictObject({}),
    summary: 'Health of store, decision log, sandbox and policies.',
  },
} satisfies Record<string, Operation>

/** Name of an operation of the management API. */
export type OperationName = keyof typeof operations

/** Input of an operation after validation. */
export type OperationInput<Name extends OperationName> = z.output<(typeof operations)[Name]['input']>
