import { z } from 'zod'
import { name } from './names.ts'
import type { Operation } from './operation.ts'
import { policyFiles } from './policy-files.ts'
import { policySetHash } from './policy-set-hash.ts'

/** Trying policies on what really happened. They read the log, so policy must let whoever asks read it. */
export const replayOperations = {
  'audit.replay': {
    name: 'audit.replay',
    method: 'POST',
    path: '/api/v1/namespaces/{namespace}/policies/replay',
    effect: 'audit',
    input: z.strictObject({
      namespace: name,
      files: policyFiles.nullable().default(null),
      policySet: policySetHash.nullable().default(null),
      sinceSeconds: z
        .number()
        .int()
        .min(60)
        .max(366 * 86_400),
      maxDecisions: z.number().int().min(1).max(10_000_000).default(200_000),
    }),
    summary:
      'Decides recorded calls again under policy files or a set that there was, and tells which would come out differently. Changes nothing.',
  },
  'shadow.set': {
    name: 'shadow.set',
    method: 'POST',
    path: '/api/v1/namespaces/{namespace}/policies/shadow',
    effect: 'manage',
    input: z.strictObject({
      namespace: name,
      files: policyFiles.nullable().default(null),
      policySet: policySetHash.nullable().default(null),
      comment: z.string().max(500).default(''),
    }),
    summary: 'Has policies decide each call beside those in force, without a say, from the next call on.',
  },
  'shadow.clear': {
    name: 'shadow.clear',
    method: 'DELETE',
    path: '/api/v1/namespaces/{namespace}/policies/shadow',
    effect: 'manage',
    input: z.strictObject({ namespace: name }),
    summary: 'Ends the trial of policies beside those in force. What it found stays in the log.',
  },
  'audit.shadow': {
    name: 'audit.shadow',
    method: 'GET',
    path: '/api/v1/namespaces/{namespace}/policies/shadow',
    effect: 'audit',
    input: z.strictObject({ namespace: name }),
    summary: 'Tells what the policies that are tried would have decided differently since they were set.',
  },
} satisfies Record<string, Operation>
