import { z } from 'zod'
import type { EventDraft } from './record.ts'
import { absentOr, amount, count, digest, time } from './record-members.ts'

const text = z.string()
const position = count

const ranges = z.array(z.tuple([position, position])).describe('Positions in the namespace, both ends included.')
const days = amount.describe('For how many days they are kept.')

const keeping = z.strictObject({
  level: text.nullable(),
  body_days: z.union([amount, z.literal('forever')]).nullable(),
  record_days: z.union([amount, z.literal('forever')]).nullable(),
})

const ground = z.strictObject({ basis: text, by: z.array(text) })
const difference = z.strictObject({
  kind: z.enum(['newlyAllowed', 'newlyDenied', 'newlyVisible', 'otherReasons']),
  call: text,
  time: text,
  principal: text,
  target: text,
  before: ground,
  after: ground,
})

const hold = { hold: text, subject: text.nullable(), reason: text, by: text }
const ask = { approval: text, principal: text, expires: time }
const profile = z.strictObject({ name: text, hash: digest })
const profiles = z.strictObject({ python: profile, typescript: profile }).nullable()
const judged = {
  ...ask,
  method: text,
  credential: text.nullable(),
  address: text,
  comment: text,
  requester: text,
  tool: text,
  asked_by_call: text,
}

/** What the event of each kind of record says, by the kind. `credential` alone holds members that its `type` decides on. */
export const eventSchemas: Record<EventDraft['kind'], z.ZodType> = {
  abandoned: z.strictObject({ decision: text, reason: text }),
  'denied-at-door': z.union([
    z.strictObject({
      code: text,
      status: count,
      address: text,
      route: text.nullable(),
      namespace: text.nullable(),
      principalId: text.nullable(),
      credentialId: text.nullable(),
      reason: text,
      count,
      first_ms: amount,
    }),
    z
      .strictObject({
        code: text,
        status: count,
        network: text,
        route: text.nullable(),
        reason: text,
        count,
        first_ms: amount,
      })
      .describe('What is counted by network.'),
    z.strictObject({ code: z.literal('many'), count }).describe('What is counted together.'),
  ]),
  'policy-change': z.discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('activated'),
      policy_set: digest,
      replaces: digest.nullable(),
      policies: count,
      by: text,
      comment: text,
    }),
    z.strictObject({ type: z.literal('shadow-set'), policy_set: digest, policies: count, by: text, comment: text }),
    z.strictObject({ type: z.literal('shadow-cleared'), policy_set: digest, by: text }),
    z.strictObject({ type: z.literal('recording-set'), before: keeping, after: keeping, by: text }),
  ]),
  credential: z.looseObject({
    type: text,
    principal: text.nullable(),
    credential: text.nullable(),
    address: text,
  }),
  approval: z.discriminatedUnion('type', [
    z.strictObject({
      ...ask,
      type: z.literal('requested'),
      actors: z.array(text),
      door: text,
      tool: text,
      service: text.nullable(),
      definition_hash: digest.nullable(),
      code_hash: digest.nullable(),
      rules: z.array(text),
    }),
    z.strictObject({ ...judged, type: z.literal('approved') }),
    z.strictObject({ ...judged, type: z.literal('denied') }),
    z.strictObject({ ...ask, type: z.literal('link-made'), link: text, for: text }),
  ]),
  start: z.discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('started'),
      version: text,
      record_version: count,
      record_schema: digest.describe('SHA-256 of docs/record.schema.json of this version.'),
      node: text,
      system: text.describe('Name, release and processor of the operating system.'),
      database: z.enum(['sqlite', 'postgresql']),
      configuration: digest.describe(
        'What "mcpworks config show" prints as its digest: no value of a secret is in it.',
      ),
      policies: z.strictObject({
        digest: digest.describe('SHA-256 over the RFC 8785 object of all namespaces and their sets.'),
        namespaces: count,
        sets: z
          .array(z.strictObject({ namespace: text, set: digest.nullable() }))
          .describe('The first hundred namespaces by name; null where no set is in force.'),
      }),
      sandbox: z.strictObject({
        engine: text,
        version: text,
        profiles,
        strict_profiles: profiles,
        cgroups: z.boolean(),
        checks: z.strictObject({ passed: count, failed: z.array(text) }).describe('Of the self-test.'),
      }),
      before: z
        .strictObject({ ended: z.enum(['clean', 'broken', 'unknown']), record: position })
        .nullable()
        .describe('How the run before this one ended, by its last record of this kind; null where there is none.'),
      abandoned: count.describe(
        'Calls without an outcome that were ended when the log was opened; on PostgreSQL those of the writer that was taken over.',
      ),
    }),
    z.strictObject({ type: z.literal('stopped'), start: text.describe('Id of the record of the start.') }),
  ]),
  shadow: z.discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('shadow-decisions'),
      policy_set: digest,
      same: z.array(text),
      differences: z.array(difference),
      missed: z.strictObject({
        busy: absentOr(count),
        'too-large': absentOr(count),
        'tool-changed': absentOr(count),
      }),
    }),
    z.strictObject({ type: z.literal('shadow-stopped'), policy_set: digest, reason: text }),
  ]),
  quarantine: z.discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('quarantined'),
      invariants: z.array(z.strictObject({ id: text, detail: text.nullable() })),
      outcome: text,
      principal: text,
      service: text.nullable(),
      tool: text.nullable(),
    }),
    z.strictObject({
      type: z.literal('released'),
      by: text,
      comment: text,
      release: text,
      outcome: text.nullable(),
    }),
  ]),
  period: z.strictObject({
    period: text,
    previous: z.strictObject({ key: text, origin: text, root: text, size: count }),
  }),
  alarm: z.discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('log-conflict'),
      where: text,
      period: text,
      problem: text,
      ours: text.nullable(),
      theirs: text.nullable(),
    }),
    z
      .strictObject({ type: z.literal('clock-ahead'), counted: time, clock: time })
      .describe('The clock of the machine is further ahead of the time that retention counted up to than is believed.'),
    z
      .strictObject({ type: z.literal('receiver-failing'), where: text, problem: text, since: time })
      .describe('What the log is handed on to (an exporter, a place outside, a channel) has not taken it for long.'),
    z.strictObject({ type: z.literal('receiver-recovered'), where: text }),
    z
      .strictObject({ type: z.literal('receiver-loses'), where: text, records: count })
      .describe('It will never have so many records: it does not take them, or says that it does not keep them.'),
    z
      .strictObject({ type: z.literal('retention-stopped'), what: z.enum(['bodies', 'texts']), position })
      .describe('The row of a record says something else than its text: nothing goes from there on.'),
    z
      .strictObject({ type: z.literal('texts-unread'), reader: text, since: position })
      .describe('Texts go that a receiver of the log has not had; the records of retention say how many.'),
    z
      .strictObject({
        type: z.literal('erasure-uncovered'),
        subject: text,
        erasure: position,
        ranges: absentOr(ranges),
      })
      .describe(
        'What was to be swept after an erasure stays: that record is none, or what is beside these records is not of who was erased.',
      ),
  ]),
  'key-change': z.strictObject({ number: count, statement: text, inherited: z.boolean(), previous: text, next: text }),
  retention: z.discriminatedUnion('what', [
    z.strictObject({
      what: z.literal('texts'),
      below: position,
      kept: absentOr(ranges).describe('Below it, and their texts stay.'),
      removed: count,
      calls: z.array(text),
      from: absentOr(position).describe('The step begins there: below it texts went before.'),
      columns: absentOr(digest).describe(
        'SHA-256 over [position, id, time, kind, call] of each whose text went in this step, one JSON text a line.',
      ),
      unread: absentOr(z.array(z.strictObject({ reader: text, records: count }))).describe(
        'Receivers of the log that had not had so many of them.',
      ),
      days,
    }),
    z.strictObject({ what: z.literal('bodies'), ranges, removed: count, days }),
  ]),
  erasure: z.discriminatedUnion('type', [
    z.strictObject({ type: z.literal('keys'), subject: text, keys: z.array(count), by: text, asked_in: text }),
    z.strictObject({ type: z.literal('bodies'), subject: text, ranges, removed: count }),
    z
      .strictObject({ type: z.literal('held'), subject: text, holds: z.array(text), by: text, asked_in: text })
      .describe('Nothing was erased here: these holds are in the way.'),
  ]),
  'legal-hold': z.discriminatedUnion('type', [
    z.strictObject({ ...hold, type: z.literal('placed') }),
    z.strictObject({ ...hold, type: z.literal('lifted') }),
  ]),
}
