import { z } from 'zod'
import { parseWitnessKey } from '../audit/index.ts'
import { isNetwork, webhookSecretMistake } from '../egress/index.ts'

const url = () => z.url({ protocol: /^https?$/ })

const path = z
  .string()
  .regex(/^\/[^\0]*[^/\0]$/, 'an absolute path')
  .nullable()
  .default(null)

/** An object store that speaks S3, path-style. */
const objectStore = z
  .strictObject({
    endpoint: url()
      .nullable()
      .default(null)
      .describe(
        'Where the object store is, without the bucket: https://s3.eu-central-1.amazonaws.com. None: not used.',
      ),
    region: z
      .string()
      .regex(/^[a-z0-9-]{1,40}$/)
      .default('us-east-1')
      .describe('Its region, for the signatures of requests.'),
    bucket: z
      .string()
      .regex(/^([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])?$/)
      .default('')
      .describe(
        'The bucket. It must honour If-None-Match and If-Match on writing, which is tried before the first one.',
      ),
    prefix: z
      .string()
      .regex(/^([a-z0-9-]+\/){0,8}$/, 'empty, or segments of a-z, 0-9 and hyphen, each with a slash behind it')
      .default('')
      .describe('What stands before the names of all objects: logs/.'),
    accessKeyId: z.string().max(200).default('').describe('Name of the key that requests are signed with.'),
    secretAccessKey: z
      .string()
      .max(500)
      .default('')
      .describe('Secret: the key itself. It needs to read and write objects below the prefix, and not to delete them.'),
  })
  .refine(
    ({ endpoint, bucket, accessKeyId, secretAccessKey }) =>
      endpoint === null || (bucket !== '' && accessKeyId !== '' && secretAccessKey !== ''),
    { path: ['endpoint'], message: 'an object store needs bucket, accessKeyId and secretAccessKey' },
  )

const witness = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,38}[a-z0-9]$/)
    .describe('What it is called here.'),
  url: url().describe('Its submission prefix: /add-checkpoint is asked below it.'),
  key: z
    .string()
    .refine((line) => parseWitnessKey(line) !== null, 'a key line of a witness, for cosignatures (type 4 or 6)')
    .describe('Its key line, as its operator gives it.'),
})

/** Where the signed log is kept outside. */
export const publishingConfigSchema = z.strictObject({
  everySeconds: z
    .number()
    .int()
    .min(1)
    .max(86_400)
    .default(10)
    .describe('Seconds between two looks for new checkpoints. What is newer than that can be lost with the machine.'),
  networks: z
    .array(z.string().refine(isNetwork, 'a network in CIDR form, such as 10.1.0.0/16'))
    .default([])
    .describe('Networks beyond the public ones in which object stores, receivers and witnesses may be.'),
  directory: path.describe(
    'Directory into which the trees of the log are written as c2sp.org/tlog-tiles lays them out: hashes and checkpoints, no record. Best on another machine.',
  ),
  store: objectStore.prefault({}),
  checkpoints: z
    .strictObject({
      file: path.describe('File to which signed checkpoints are added, one a line, and nothing else is done to it.'),
      store: objectStore.prefault({}),
      webhook: z
        .strictObject({
          url: url().nullable().default(null).describe('Where signed checkpoints are sent by POST. None: not used.'),
          secret: z
            .string()
            .max(1000)
            .default('')
            .describe(
              'Secret: at least 32 characters, with which what is sent is signed (Standard Webhooks), or whsec_...',
            ),
        })
        .superRefine(({ url: address, secret }, context) => {
          const mistake = address === null ? null : webhookSecretMistake(secret)
          if (mistake !== null) context.addIssue({ code: 'custom', path: ['secret'], message: mistake })
        })
        .prefault({}),
    })
    .prefault({}),
  witnesses: z
    .array(witness)
    .max(16)
    .default([])
    .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, 'two have one name')
    .refine(
      (list) => new Set(list.map(({ key }) => key.trim().split('+').slice(2).join('+'))).size === list.length,
      'two have one key',
    )
    .describe(
      'Witnesses (c2sp.org/tlog-witness) that are asked to cosign the newest checkpoint of each tree. They must know the key of each tree: "mcpworks audit trees" and the key that the log has.',
    ),
})

/** Configuration of publishing, validated. */
export type PublishingConfig = z.output<typeof publishingConfigSchema>
