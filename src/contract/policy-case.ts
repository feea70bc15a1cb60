import { z } from 'zod'
import { name } from './names.ts'

const figure = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).default(0)

const figures = z.strictObject({
  calls_minute: figure,
  calls_day: figure,
  bytes_out_day: figure,
  spend_day: figure,
  running: figure,
})

/** One case of `mcpworks policy test`: a call that somebody could make, and how it must be decided. */
export const policyCase = z
  .strictObject({
    name: z.string().min(1).max(200).describe('What the case shows, as a sentence.'),
    agent: name.describe('The agent that calls. It need not exist where `groups` is given.'),
    groups: z.array(name).max(50).optional().describe('Its groups; without them, those of the agent of that name.'),
    tool: z.string().min(1).max(128).describe('The tool as agents see it: service-function.'),
    args: z.record(z.string(), z.json()).default({}).describe('The arguments of the call.'),
    at: z.iso.datetime({ offset: true }).optional().describe('When: ISO 8601. Without it, the moment of the test.'),
    address: z.union([z.ipv4(), z.ipv6()]).default('127.0.0.1').describe('Where from.'),
    door: z.enum(['tool', 'code']).default('tool').describe('`code` for a call that a function makes.'),
    senderConstrained: z.boolean().default(false).describe('Whether the credential is bound to a key of the caller.'),
    labels: z.array(z.string().max(100)).max(50).default([]).describe('Labels of the run.'),
    approved: z.boolean().default(false).describe('Whether a person approved exactly this call.'),
    usage: z
      .strictObject({ agent: figures.prefault({}), tool: figures.prefault({}) })
      .prefault({})
      .describe('What the caller used before, named as in context.usage; what is left out is 0.'),
    facts: z
      .record(z.string().max(40), z.json())
      .optional()
      .describe('Facts that must be derived from the arguments; of a fact that is a record, the members given here.'),
    error: z
      .string()
      .max(1000)
      .optional()
      .describe('Why the call cannot be decided and is denied, word for word, such as a fact that cannot be told.'),
    expect: z.enum(['allow', 'deny']).optional().describe('How it must be decided; needed unless notRule is given.'),
    basis: z
      .enum(['permit', 'forbid', 'default-deny'])
      .optional()
      .describe('Why: some rule permits it, some rule forbids it, or none permits it.'),
    rule: z.string().max(300).optional().describe('A rule that must be among those that decide: file.cedar#id.'),
    notRule: z.string().max(300).optional().describe('A rule that must not be among them, however it is decided.'),
    obligations: z
      .string()
      .max(1000)
      .optional()
      .describe(
        'What must be demanded in return, all of it and no more, such as "redact email; limit-rows 25"; "" for nothing.',
      ),
    reason: z.string().max(1000).optional().describe('What the caller must be told, word for word.'),
  })
  .refine((one) => one.expect !== undefined || one.notRule !== undefined, {
    path: ['expect'],
    message: 'say how it must be decided: allow or deny; or a notRule that must not be among those that decide',
  })

/** A case after validation. */
export type PolicyCase = z.output<typeof policyCase>
