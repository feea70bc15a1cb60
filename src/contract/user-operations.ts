import { z } from 'zod'
import { name } from './names.ts'
import type { Operation } from './operation.ts'

const role = z
  .string()
  .max(81)
  .regex(
    /^(?:owner|admin|author|approver|auditor|viewer|[a-z][a-z0-9-]{0,38}[a-z0-9]\/[a-z][a-z0-9-]{0,38}[a-z0-9])$/,
    'a role is owner, admin, author, approver, auditor or viewer, or one of them in a namespace: demo/auditor',
  )
const roles = z.array(role).max(50)

/** Operations on users, the people who sign in. They belong to the platform, not to a namespace. */
export const userOperations = {
  'user.list': {
    name: 'user.list',
    method: 'GET',
    path: '/api/v1/users',
    effect: 'manage',
    input: z.strictObject({}),
    summary: 'Lists the users with their roles and what they can sign in with.',
  },
  'user.add': {
    name: 'user.add',
    method: 'POST',
    path: '/api/v1/users',
    effect: 'manage',
    input: z.strictObject({ user: name, roles: roles.default([]) }),
    summary:
      'Adds a user. Nobody can give a role that policy does not let them give. The answer holds a one-time link.',
  },
  'user.set-roles': {
    name: 'user.set-roles',
    method: 'POST',
    path: '/api/v1/users/{user}/roles',
    effect: 'manage',
    input: z.strictObject({ user: name, roles }),
    summary: 'Gives a user these roles and no others, from the next request on.',
  },
  'user.disable': {
    name: 'user.disable',
    method: 'POST',
    path: '/api/v1/users/{user}/disable',
    effect: 'manage',
    input: z.strictObject({ user: name }),
    summary: 'Ends all sessions of a user and lets nobody in under that name until it is enabled again.',
  },
  'user.enable': {
    name: 'user.enable',
    method: 'POST',
    path: '/api/v1/users/{user}/enable',
    effect: 'manage',
    input: z.strictObject({ user: name }),
    summary: 'Lets a disabled user sign in again. Sessions that were ended stay ended.',
  },
  'user.revoke': {
    name: 'user.revoke',
    method: 'DELETE',
    path: '/api/v1/users/{user}',
    effect: 'manage',
    input: z.strictObject({ user: name }),
    summary: 'Revokes a user for good. The name is never used again.',
  },
  'user.link': {
    name: 'user.link',
    method: 'POST',
    path: '/api/v1/users/{user}/link',
    effect: 'manage',
    input: z.strictObject({ user: name }),
    summary:
      'Makes a one-time link with which a user sets a passkey or a password. Links made before are worth nothing.',
  },
} satisfies Record<string, Operation>
