import { z } from 'zod'
import { namespace } from './names.ts'
import type { Operation } from './operation.ts'

const reason = z.string().trim().min(1).max(500)

/** Operations on namespaces and on the platform as a whole. */
export const namespaceOperations = {
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
  'platform.doctor': {
    name: 'platform.doctor',
    method: 'GET',
    path: '/api/v1/doctor',
    effect: 'manage',
    input: z.strictObject({}),
    summary: 'Health of store, decision log, sandbox and policies.',
  },
} satisfies Record<string, Operation>
