import { z } from 'zod'
import { name, namespace } from './names.ts'
import type { Operation } from './operation.ts'

const approval = z.string().regex(/^[0-9a-f-]{36}$/, 'the id of a request is a UUID')
const comment = z.string().trim().max(500).default('')

/** Operations on calls that wait for a person. To decide is an action of its own, which policy is asked for on the tool. */
export const approvalOperations = {
  'approval.list': {
    name: 'approval.list',
    method: 'GET',
    path: '/api/v1/namespaces/{namespace}/approvals',
    effect: 'manage',
    input: z.strictObject({ ...namespace, all: z.stringbool().or(z.boolean()).default(false) }),
    summary: 'Lists calls that wait for a person, and those decided on that are still open; with all, every one kept.',
  },
  'approval.show': {
    name: 'approval.show',
    method: 'GET',
    path: '/api/v1/namespaces/{namespace}/approvals/{approval}',
    effect: 'approve',
    input: z.strictObject({ ...namespace, approval }),
    summary: 'Shows a call that waits for a person with its whole arguments, secrets hidden.',
  },
  'approval.approve': {
    name: 'approval.approve',
    method: 'POST',
    path: '/api/v1/namespaces/{namespace}/approvals/{approval}/approve',
    effect: 'approve',
    input: z.strictObject({ ...namespace, approval, comment }),
    summary: 'Lets exactly this call be made, once. Whoever asked for it cannot.',
  },
  'approval.deny': {
    name: 'approval.deny',
    method: 'POST',
    path: '/api/v1/namespaces/{namespace}/approvals/{approval}/deny',
    effect: 'approve',
    input: z.strictObject({ ...namespace, approval, comment }),
    summary:
      'Denies a call that waits. The comment is told to whoever asked, and the same call asks nobody for a while.',
  },
  'approval.link': {
    name: 'approval.link',
    method: 'POST',
    path: '/api/v1/namespaces/{namespace}/approvals/{approval}/link',
    effect: 'manage',
    input: z.strictObject({ ...namespace, approval, user: name }),
    summary:
      'Makes a link by which a user decides on a call that waits, once, without signing in. Policy is asked for that user.',
  },
} satisfies Record<string, Operation>
