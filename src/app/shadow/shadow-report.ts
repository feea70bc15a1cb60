import { setImmediate as turn } from 'node:timers/promises'
import { z } from 'zod'
import type { DecisionLog } from '../../audit/index.ts'
import type { Digest } from '../../kernel/index.ts'
import { DifferenceGroups, differenceKinds, type Differences } from '../replay/difference-groups.ts'

/** Records that are read for one report, and at once. A record tells of up to a hundred calls. */
const maxRecords = 5_000
const pageLength = 50

/** What shadow policies would have decided since they were set. */
export interface ShadowReport {
  /** Calls that they decided. */
  readonly decided: number
  readonly same: number
  readonly newlyAllowed: Differences
  readonly newlyDenied: Differences
  readonly newlyVisible: Differences
  readonly otherReasons: Differences
  /** Calls that they did not get to decide, by the reason. */
  readonly missed: { readonly [reason: string]: number }
  /** False where only the newest records were read. */
  readonly complete: boolean
}

const ground = z.object({ basis: z.string(), by: z.array(z.string()) })

const recordSchema = z.object({
  event: z.object({
    type: z.literal('shadow-decisions'),
    policy_set: z.string(),
    same: z.array(z.string()),
    differences: z.array(
      z.object({
        kind: z.enum(differenceKinds),
        call: z.string(),
        time: z.string(),
        principal: z.string(),
        target: z.string(),
        before: ground,
        after: ground,
      }),
    ),
    missed: z.record(z.string(), z.number()),
  }),
})

/** Adds up what the log has of these policies, the newest first, a page in each turn of the event loop. */
export async function shadowReport(
  log: Pick<DecisionLog, 'read'>,
  namespace: string,
  shadow: { readonly policySetHash: Digest; readonly setAtMs: number },
): Promise<ShadowReport> {
  const kinds = {
    newlyAllowed: new DifferenceGroups(),
    newlyDenied: new DifferenceGroups(),
    newlyVisible: new DifferenceGroups(),
    otherReasons: new DifferenceGroups(),
  }
  const missed: Record<string, number> = {}
  let same = 0
  let read = 0
  let before: number | undefined
  let complete = false
  while (!complete && read < maxRecords) {
    const page = await log.read({
      namespace,
      kinds: ['shadow'],
      descending: true,
      limit: pageLength,
      ...(before === undefined ? {} : { afterIndex: before }),
    })
    for (const { json, timeMs } of page) {
      const parsed = recordSchema.safeParse(JSON.parse(json))
      if (!parsed.success || timeMs < shadow.setAtMs) continue
      const { event } = parsed.data
      if (event.policy_set !== shadow.policySetHash) continue
      same += event.same.length
      for (const { kind, before: was, after, ...example } of event.differences) kinds[kind].add(example, was, after)
      for (const [reason, count] of Object.entries(event.missed)) missed[reason] = (missed[reason] ?? 0) + count
    }
    read += page.length
    before = page.at(-1)?.index
    complete = page.length < pageLength || page.every(({ timeMs }) => timeMs < shadow.setAtMs)
    await turn()
  }
  const differences = {
    newlyAllowed: kinds.newlyAllowed.all(),
    newlyDenied: kinds.newlyDenied.all(),
    newlyVisible: kinds.newlyVisible.all(),
    otherReasons: kinds.otherReasons.all(),
  }
  const different = Object.values(differences).reduce((sum, { count }) => sum + count, 0)
  return { decided: same + different, same, ...differences, missed, complete }
}
