import { z } from 'zod'
import { name, namespace } from './names.ts'
import type { Operation } from './operation.ts'

/** Operations on third-party servers and the credentials for them. */
export const upstreamOperations = {
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
} satisfies Record<string, Operation>
