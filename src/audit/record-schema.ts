import { z } from 'zod'
import { eventSchemas } from './event-schemas.ts'
import { absentOr, amount, count, digest, time } from './record-members.ts'

const writer = z
  .strictObject({ epoch: count, id: z.string(), prev_hash: digest.nullable(), seq: count })
  .describe('The chain of the writer: its start, its position, and the leaf hash of its record before this one.')

const members = {
  v: z.literal(1),
  id: z.uuid().describe('UUID version 7.'),
  call: z.string().describe('The decision and the outcome of a call share it.'),
  level: z
    .enum(['metadata', 'request', 'request_response'])
    .describe('Which bodies are kept beside this record: none, those of a decision, the output of an outcome.'),
  namespace: z.string(),
  parent_call: z.string().nullable(),
  run: z.string(),
  time,
  trace: z.string().nullable().describe('Given by the caller: it links, it never keys.'),
  writer,
}

const body = z
  .discriminatedUnion('redacted', [
    z.strictObject({ bytes: count, commitment: digest, redacted: z.literal(false), ref: z.string() }),
    z.strictObject({
      bytes: count,
      commitment: digest,
      redacted: z.literal(true),
      redactions: count.min(1).describe('Places that secrets were taken out of.'),
      ref: z.string(),
    }),
  ])
  .nullable()
  .describe('What is kept beside the record, encrypted, by a salted commitment. Null where it was not kept.')

const figures = z.strictObject({
  bytes_out_day: amount,
  calls_day: count,
  calls_minute: count,
  running: count,
  spend_day: amount,
})

const pre = z.strictObject({
  approval: absentOr(z.strictObject({ at: time.nullable(), by: z.string().nullable(), id: z.string() })),
  authn: z.strictObject({
    actors: absentOr(z.array(z.string())).describe('With an access token.'),
    binding: absentOr(z.enum(['dpop', 'mtls'])),
    client_id: absentOr(z.string().nullable()).describe('With an access token.'),
    credential_id: z.string(),
    expires: time.nullable(),
    issuer: absentOr(z.string()).describe('With an access token.'),
    key_thumbprint: absentOr(z.string()).describe('Of the key that the caller proved to hold: jkt, or x5t#S256.'),
    method: z.string(),
    sender_constrained: z.boolean(),
    token_id_hmac: absentOr(z.string().regex(/^hmac-sha256:[0-9a-f]{64}$/)).describe('Of the jti of an access token.'),
  }),
  client: z.strictObject({ address: z.string(), claimed_name: z.string().nullable().describe('Not verified.') }),
  derived: z
    .union([
      z.strictObject({
        extractor_hash: digest,
        facts: z.record(z.string(), z.json()),
        untold: absentOr(z.array(z.string())),
      }),
      z.strictObject({}),
    ])
    .describe('Empty where no facts were asked for.'),
  door: z.string(),
  input: body,
  labels_before: z.array(z.string()),
  principal: z.strictObject({
    groups: z.array(z.string()),
    id: z.string(),
    on_behalf_of: z.array(z.string()),
    type: z.string(),
  }),
  quota: absentOr(
    z.strictObject({
      agent: figures,
      retry_after_s: amount.nullable(),
      spend: amount,
      target: z.string(),
      tool: figures,
    }),
  ),
  sandbox: z
    .strictObject({ engine: z.string(), profile: z.string(), profile_hash: digest, runtime: z.string() })
    .nullable(),
  target: z.strictObject({
    code_hash: digest.nullable(),
    definition_hash: digest.nullable(),
    service: z.string().nullable(),
    tool: z.string(),
  }),
})

const decision = z.strictObject({
  basis: z.enum(['permit', 'forbid', 'default-deny', 'barred', 'error']),
  determining: z.array(
    z.strictObject({
      effect: z.string(),
      id: z.string(),
      reason: z.string().nullable(),
      remedy: z.string().nullable(),
      text_hash: digest,
    }),
  ),
  duration_us: amount,
  effect: z.enum(['allow', 'deny']),
  engine: z.strictObject({ name: z.string(), version: z.string() }).nullable(),
  entities_hash: digest.nullable(),
  errors: z.array(z.strictObject({ message: z.string(), policy_id: z.string().nullable() })),
  evaluated_at: time,
  mode: z.literal('enforce'),
  obligations: z.array(z.string()),
  policy_set_hash: digest.nullable(),
  request_bytes: count.nullable(),
  request_hash: digest.nullable().describe('Salted commitment to the exact engine input.'),
  request_redactions: absentOr(count.min(1)).describe('Places that secrets were taken out of it.'),
  schema_hash: digest.nullable(),
})

const look = z.strictObject({
  capabilities: z.boolean(),
  devices: z.array(z.string()),
  namespaces: z.record(z.string(), count),
  no_new_privs: z.boolean(),
  seccomp_filters: count.nullable(),
  seccomp_mode: count,
  shared: z.array(z.string()),
  uid: count,
})

const jail = z.strictObject({
  after: z.union([z.literal('same'), look, z.null()]),
  before: look,
  group: z.strictObject({ memory_bytes: count.nullable(), processes: count.nullable() }).nullable(),
  kernel: z.string(),
})

const outcome = z.strictObject({
  bytes_out: count,
  definition_hash_after: digest.nullable(),
  detail: z.string().nullable(),
  duration_ms: amount,
  exit_code: absentOr(count).describe(
    '128 + n for signal n. Only where the process of the code ended by itself; the code can choose it.',
  ),
  inner_calls: count,
  invariants: z.array(z.strictObject({ detail: z.string().nullable(), id: z.string(), pass: z.boolean() })),
  jail: absentOr(jail),
  labels_after: z.array(z.string()),
  obligations: absentOr(
    z.array(z.strictObject({ detail: z.string(), fulfilled: z.boolean(), obligation: z.string() })).min(1),
  ),
  output: body,
  resources: z
    .strictObject({
      cpu_ms: amount,
      max_rss: amount,
      peak_memory: absentOr(amount).describe('All memory on the account of the jail, where it has a cgroup.'),
      peak_processes: absentOr(count).describe('Processes and threads at once, never too high, where it has a cgroup.'),
      read_bytes: absentOr(count).describe(
        'By its system calls, of anything, as of the last look at it; absent where it ended before the first.',
      ),
      written_bytes: absentOr(count),
    })
    .nullable(),
  status: z.enum(['ok', 'tool-error', 'protocol-error', 'timeout', 'killed', 'limit', 'input-required']),
})

const mcp = z.strictObject({
  json_rpc_id: z.string().nullable(),
  method: z.string(),
  protocol_version: z.string().nullable(),
})

/** A record as it is stored, of any kind that is written. No member that it does not name is ever in one. */
export const recordSchema = z.union([
  z.strictObject({ ...members, kind: z.literal('decision'), mcp, pre, decision }),
  z.strictObject({ ...members, kind: z.literal('outcome'), outcome }),
  ...Object.entries(eventSchemas).map(([kind, event]) => z.strictObject({ ...members, kind: z.literal(kind), event })),
])
