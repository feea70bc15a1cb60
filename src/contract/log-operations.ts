import { z } from 'zod'
import { namespace } from './names.ts'
import type { Operation } from './operation.ts'

/** How the tree of a log that was begun without periods is called in paths. */
export const firstTree = 'first'

const tree = {
  ...namespace,
  period: z
    .string()
    .regex(/^([0-9]{4}-(0[1-9]|1[0-2])|first)$/, 'a month such as 2026-11, or "first" for a tree without one'),
}

/** The signed trees of the log, as c2sp.org/tlog-tiles serves them: no record's text. */
export const logOperations = {
  'audit.trees': {
    name: 'audit.trees',
    method: 'GET',
    path: '/api/v1/namespaces/{namespace}/log',
    effect: 'audit',
    input: z.strictObject({ ...namespace }),
    summary: 'Lists the trees of a namespace, one a month, each with its origin and the size that is signed.',
  },
  'audit.checkpoint': {
    name: 'audit.checkpoint',
    method: 'GET',
    path: '/api/v1/namespaces/{namespace}/log/{period}/checkpoint',
    effect: 'audit',
    input: z.strictObject(tree),
    file: { mediaType: 'text/plain; charset=utf-8', encoding: 'utf8', cacheControl: 'private, no-cache' },
    summary: 'The newest signed checkpoint of a tree, as c2sp.org/tlog-checkpoint has it.',
  },
  'audit.key': {
    name: 'audit.key',
    method: 'GET',
    path: '/api/v1/namespaces/{namespace}/log/{period}/key',
    effect: 'audit',
    input: z.strictObject(tree),
    file: { mediaType: 'text/plain; charset=utf-8', encoding: 'utf8', cacheControl: 'private, no-cache' },
    summary:
      'The verifier key line of a tree, for tools that want it by its origin. Whoever checks this server got it elsewhere.',
  },
  'audit.tile': {
    name: 'audit.tile',
    method: 'GET',
    path: '/api/v1/namespaces/{namespace}/log/{period}/tile/{level}/{place}',
    spans: 'place',
    effect: 'audit',
    input: z.strictObject({
      ...tree,
      level: z.string().regex(/^(0|[1-5]?[0-9]|6[0-3])$/, 'a level is 0 to 63'),
      place: z
        .string()
        .regex(
          /^(x[0-9]{3}\/){0,4}[0-9]{3}(\.p\/[1-9][0-9]{0,2})?$/,
          'the place of a tile is written like x001/x234/067 or 000.p/112',
        ),
    }),
    file: {
      mediaType: 'application/octet-stream',
      encoding: 'base64',
      cacheControl: 'private, max-age=31536000, immutable',
    },
    summary: 'A tile of a tree, full or partial, as far as a signed checkpoint covers it (c2sp.org/tlog-tiles).',
  },
  'audit.rotate-key': {
    name: 'audit.rotate-key',
    method: 'POST',
    path: '/api/v1/log/rotate-key',
    effect: 'manage',
    input: z.strictObject({}),
    summary:
      'Makes a new key that signs the log from here on. The former one vouches for it in every tree, and is deleted.',
  },
} satisfies Record<string, Operation>
