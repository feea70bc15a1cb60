import { z } from 'zod'
import { isNetwork } from '../egress/index.ts'

const channelSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,38}[a-z0-9]$/)
    .describe('The name by which policies call it.'),
  url: z
    .url({ protocol: /^https?$/ })
    .describe('Where it is told, by POST. Plain http only to loopback, and only where networks lists that.'),
})

const keptDays = z.number().int().min(1).max(36_525).or(z.literal('forever')).default('forever')

const notificationsSchema = z
  .strictObject({
    secret: z
      .string()
      .max(1000)
      .default('')
      .describe(
        'Secret: at least 32 characters, from which the key of each channel is made that signs what it is told. Needed where there are channels.',
      ),
    networks: z
      .array(z.string().refine(isNetwork, 'a network in CIDR form, such as 10.1.0.0/16'))
      .default([])
      .describe('Networks beyond the public ones in which channels may be.'),
    channels: z
      .array(channelSchema)
      .max(50)
      .default([])
      .refine((channels) => new Set(channels.map(({ name }) => name)).size === channels.length, 'two have one name')
      .describe(
        'Who is told of calls by "notify NAME" in a policy. A channel that is not listed is told by a line of the log of the server.',
      ),
    alerts: z
      .array(z.string().max(64))
      .max(10)
      .default(['alerts'])
      .describe(
        'Channels that are told when an output is put in quarantine because something that must have held did not, and of every other alarm: what is published does not fit, a receiver of the log fails for long, the clock leaps. One that is not listed above is told by a line of the log of the server.',
      ),
    alarmAfterSeconds: z
      .number()
      .int()
      .min(1)
      .max(86_400)
      .default(300)
      .describe(
        'Seconds that a receiver of the log, a place where it is published, a witness or a channel may fail until that is an alarm. No call waits for any of them, and nothing is lost meanwhile.',
      ),
  })
  .refine(({ secret, channels }) => channels.length === 0 || secret.length >= 32, {
    path: ['secret'],
    message: 'channels need a secret of at least 32 characters',
  })

/** Bounds of the pipeline. */
export const gatewayConfigSchema = z
  .strictObject({
    maxConcurrentCalls: z
      .number()
      .int()
      .min(1)
      .max(10_000)
      .default(256)
      .describe(
        'Calls under way at once, over all namespaces; one more is answered 429. Management has as many places of its own. Does not share fairly between agents.',
      ),
    maxInnerCalls: z
      .number()
      .int()
      .min(0)
      .max(100_000)
      .default(1000)
      .describe(
        'Calls of other tools that one call may cause in all, by functions that call functions, 4 deep at most. Each depth has as many places as maxConcurrentCalls.',
      ),
    maxResultBytes: z
      .number()
      .int()
      .min(1024)
      .max(64 * 1024 * 1024)
      .default(1024 * 1024)
      .describe(
        'Bytes of JSON in one result; a larger one becomes a tool error. Does not bound what the function holds in memory.',
      ),
    runIdleSeconds: z
      .number()
      .int()
      .min(60)
      .max(86_400)
      .default(3600)
      .describe(
        'Seconds without a call after which the next call of the same agent belongs to a new run, without the labels of the old one. All credentials of an agent share its run.',
      ),
    maxUsageCounters: z
      .number()
      .int()
      .min(1000)
      .max(100_000_000)
      .default(100_000)
      .describe(
        'Counters of what agents use that are held in memory, one for each agent and one for each of the tools that it used today; the others are read from the disk when they are needed. About 1000 bytes each. Does not bound the disk.',
      ),
    auditLevel: z
      .enum(['metadata', 'request', 'request_response'])
      .default('request_response')
      .describe(
        'Which bodies are kept, encrypted, beside the records, where a namespace says nothing else (audit level): none, arguments, or arguments and results. A policy can have less kept (@obligation("record metadata")).',
      ),
    maxAuditBodyBytes: z
      .number()
      .int()
      .min(0)
      .max(16 * 1024 * 1024)
      .default(64 * 1024)
      .describe('Bytes of one body kept beside a record; a larger one is replaced by its size and digest.'),
    auditBodyDays: keptDays.describe(
      'Days after which arguments, results and engine inputs are deleted, where a namespace says nothing else (audit retention set). The deletion is a record; what is on hold stays.',
    ),
    auditRecordDays: keptDays.describe(
      'Days after which the texts of records are deleted with what is beside them, where a namespace says nothing else. Their hashes stay, so that the rest of the log can be verified.',
    ),
    auditMinRecordDays: z
      .number()
      .int()
      .min(1)
      .max(36_525)
      .default(30)
      .describe(
        'Days for which texts of records are kept at least: no namespace can say less (audit retention set), and where one did, this holds. auditRecordDays must not be below it. Does not keep arguments and results.',
      ),
    auditWaitDays: z
      .number()
      .int()
      .min(0)
      .max(36_525)
      .default(7)
      .describe(
        'Days beyond their time for which texts of records wait for exporters and notification channels that have not had them. After that they go: their record and an alarm say how many were not had by whom.',
      ),
    auditClockJumpDays: z
      .number()
      .int()
      .min(1)
      .max(36_525)
      .default(14)
      .describe(
        'Days that the clock may be ahead of the time that retention counted up to, such as after the server was off: they are caught up with, a day in an hour. A clock further ahead is taken to be wrong: an alarm says so, and retention goes on with the time that passes. Set it higher for one start where the clock is right.',
      ),
    notifications: notificationsSchema.prefault({}),
  })
  .superRefine(({ auditRecordDays, auditMinRecordDays }, context) => {
    if (auditRecordDays === 'forever' || auditRecordDays >= auditMinRecordDays) return
    const message = `must not be below gateway.auditMinRecordDays (${auditMinRecordDays})`
    context.addIssue({ code: 'custom', path: ['auditRecordDays'], message })
  })

/** Configuration of the gateway, validated. */
export type GatewayConfig = z.output<typeof gatewayConfigSchema>
