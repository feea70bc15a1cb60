import { z } from 'zod'

const seconds = (shortest: number, longest: number) => z.number().int().min(shortest).max(longest)
const count = (most: number) => z.number().int().min(1).max(most)

/** Calls that wait for a person. */
export const approvalsConfigSchema = z.strictObject({
  requestSeconds: seconds(60, 2_592_000)
    .default(86_400)
    .describe('Seconds that a request for approval waits for a person. After that the call has to be made anew.'),
  useSeconds: seconds(10, 2_592_000)
    .default(3600)
    .describe('Seconds from a person approving a call until it has to have been made.'),
  deniedSeconds: seconds(10, 2_592_000)
    .default(3600)
    .describe(
      'Seconds for which a call that a person denied asks nobody again. The same call with other arguments may.',
    ),
  maxPendingPerAgent: count(1000)
    .default(20)
    .describe('Requests of one agent that wait at once. Beyond that its calls are denied and ask nobody.'),
  maxPendingPerNamespace: count(100_000)
    .default(1000)
    .describe('Requests of a namespace that wait at once. Agents that fill it keep others of it from asking.'),
  maxPerAgentPerHour: count(100_000)
    .default(60)
    .describe('Requests that one agent may make in an hour, whatever became of them.'),
  maxArgumentBytes: z
    .number()
    .int()
    .min(256)
    .max(262_144)
    .default(16_384)
    .describe(
      'Bytes of JSON in the arguments of a call that a person can be asked about. They are shown whole; a call with more is denied and asks nobody.',
    ),
  notify: z
    .array(z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'the name of a channel'))
    .max(50)
    .default([])
    .describe(
      'Channels (gateway.notifications.channels) that are told when a call waits for a person: whose, which tool and by which rule, no argument. One that is not listed there is a line of the log of the server.',
    ),
  keepDays: count(3650)
    .default(90)
    .describe('Days for which requests are listed after they were made. The decision log keeps its records of them.'),
})

/** Configuration of approvals, validated. */
export type ApprovalsConfig = z.output<typeof approvalsConfigSchema>
