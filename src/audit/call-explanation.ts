import { isJsonObject, McpworksError, type JsonObject, type JsonValue } from '../kernel/index.ts'
import type { RecordProof } from './decision-log.ts'
import type { StoredRecord } from './record.ts'
import { shadowOfCall, type ShadowOfCall } from './shadow-of-call.ts'
import { parseObject } from './stored-envelope.ts'

/** What the explanation of a call is made from. */
export interface CallMaterial {
  /** Every record of the call, in the order of writing. */
  readonly records: readonly StoredRecord[]
  /** Records of the kind `shadow` after the decision, among which one may tell of the call. */
  readonly shadowRecords?: readonly StoredRecord[]
  /** Decrypted bodies, `null` where there is none or the reader may not see it. */
  readonly input: string | null
  readonly output: string | null
  /** What became of a body that was kept and is not there any more, as words that go on after its name. */
  readonly inputGone?: string | null
  readonly outputGone?: string | null
  /** Of the decision record; `null` where it was not made. */
  readonly proof: RecordProof | null
}

/** Figures before the call, by the names that policies use, and what the call added. */
export interface ExplainedQuota {
  readonly target: string
  readonly agent: Readonly<Record<string, number>>
  readonly tool: Readonly<Record<string, number>>
  readonly spend: number
  readonly retryAfterSeconds: number | null
}

/** Why a call went as it did, as data. Text in it comes partly from callers and tools. */
export interface CallExplanation {
  readonly call: string
  readonly namespace: string
  readonly run: string
  readonly parentCall: string | null
  readonly trace: string | null
  readonly time: string
  readonly who: {
    readonly type: string
    readonly id: string
    readonly groups: readonly string[]
    readonly authentication: string
    readonly credentialId: string
    /** Of an access token; `null` with another credential. */
    readonly issuer: string | null
    readonly clientId: string | null
    /** Who acts for the principal, the present actor first. */
    readonly actors: readonly string[]
    readonly address: string
    readonly claimedName: string | null
  }
  readonly what: {
    readonly method: string
    readonly tool: string
    readonly service: string | null
    readonly door: string
    readonly input: string | null
    readonly inputBytes: number | null
    /** Why the arguments are not shown, where they are not; goes on after "the arguments". */
    readonly inputGone: string | null
    /** In how many places secrets were taken out of what was kept. */
    readonly inputRedactions: number
  }
  readonly decision: {
    readonly effect: string
    readonly basis: string
    readonly rules: readonly {
      readonly id: string
      readonly effect: string
      readonly reason: string | null
      readonly remedy: string | null
    }[]
    readonly errors: readonly string[]
    readonly obligations: readonly string[]
    /** The request for approval that the call made, or found; `by` and `at` where it was let through by it. */
    readonly approval: { readonly id: string; readonly by: string | null; readonly at: string | null } | null
    /** How policies that were tried beside those in force would have decided; `null` where none are known to have. */
    readonly shadow: ShadowOfCall | null
    readonly engine: string | null
    readonly policySetHash: string | null
    readonly durationUs: number
  }
  readonly facts: {
    readonly labels: readonly string[]
    /** What was derived from the arguments, as far as it may stand in the clear, by the name of the fact. */
    readonly derived: JsonObject
    /** Names of facts that could not be told, and that no policy in scope reads. */
    readonly untold: readonly string[]
    readonly extractorHash: string | null
    /** What the caller had used before, as policy saw it; `null` where nothing is counted. */
    readonly quota: ExplainedQuota | null
    readonly definitionHash: string | null
    readonly codeHash: string | null
    readonly sandbox: string | null
  }
  /** `null` while the call runs, and for a refused one. */
  readonly outcome: {
    readonly status: string
    readonly detail: string | null
    readonly time: string
    readonly durationMs: number | null
    readonly cpuMs: number | null
    readonly maxRssBytes: number | null
    /** The most processes and threads at once. */
    readonly peakProcesses: number | null
    /** By system calls of the code, of anything. */
    readonly readBytes: number | null
    readonly writtenBytes: number | null
    /** Of code whose process ended by itself: 128 + n for signal n, or as the code chose. */
    readonly exitCode: number | null
    /** Calls that the code asked for on behalf of its caller, refused ones included. */
    readonly innerCalls: number
    /** Bytes of JSON that were handed out; `null` where that is not recorded. */
    readonly bytesOut: number | null
    /** Labels of the run once the call had ended; `null` where that is not recorded. */
    readonly labelsAfter: readonly string[] | null
    readonly failedInvariants: readonly string[]
    /** What must have held, and whether it did. Where one did not, the output is in quarantine and not shown here. */
    readonly invariants: readonly { readonly id: string; readonly pass: boolean; readonly detail: string | null }[]
    /** What the kernel told of the jail before it got the code, as the record has it; `null` where no code ran in one. */
    readonly jail: JsonObject | null
    /** What the permits demanded, and what came of it. */
    readonly obligations: readonly {
      readonly obligation: string
      readonly fulfilled: boolean
      readonly detail: string
    }[]
    readonly output: string | null
    readonly outputBytes: number | null
    /** Why the result is not shown, where it is not; goes on after "the result". */
    readonly outputGone: string | null
    readonly outputRedactions: number
  } | null
  readonly records: readonly {
    readonly kind: string
    readonly index: number
    readonly id: string
    readonly time: string
  }[]
  readonly proof: RecordProof | null
}

/**
 * Puts the records of one call together. Does not verify them: that is the verifier's work.
 * @throws McpworksError `unknown_object` where there is no decision among the records
 */
export function explainCall(material: CallMaterial): CallExplanation {
  const parsed = material.records.map(({ json }) => parseObject(json) ?? {})
  const decided = parsed.find((record) => record['kind'] === 'decision')
  if (decided === undefined)
    throw new McpworksError('unknown_object', { message: 'There is no decision for that call.' })
  const ended = parsed.find((record) => record['kind'] === 'outcome' || record['kind'] === 'abandoned')
  const pre = objectAt(decided, 'pre')
  const decision = objectAt(decided, 'decision')
  const principal = objectAt(pre, 'principal')
  const authn = objectAt(pre, 'authn')
  const client = objectAt(pre, 'client')
  const target = objectAt(pre, 'target')
  const engine = objectAt(decision, 'engine')
  const sandbox = objectAt(pre, 'sandbox')
  const derived = objectAt(pre, 'derived')
  return {
    call: text(decided['call']),
    namespace: text(decided['namespace']),
    run: text(decided['run']),
    parentCall: textOrNull(decided['parent_call']),
    trace: textOrNull(decided['trace']),
    time: text(decided['time']),
    who: {
      type: text(principal['type']),
      id: text(principal['id']),
      groups: texts(principal['groups']),
      authentication: text(authn['method']),
      credentialId: text(authn['credential_id']),
      issuer: textOrNull(authn['issuer']),
      clientId: textOrNull(authn['client_id']),
      actors: texts(authn['actors']),
      address: text(client['address']),
      claimedName: textOrNull(client['claimed_name']),
    },
    what: {
      method: text(objectAt(decided, 'mcp')['method']),
      tool: text(target['tool']),
      service: textOrNull(target['service']),
      door: text(pre['door']),
      input: material.input,
      inputBytes: numberOrNull(objectAt(pre, 'input')['bytes']),
      inputGone:
        pre['input'] == null ? notKept(decided) : material.input === null ? (material.inputGone ?? null) : null,
      inputRedactions: numberOrNull(objectAt(pre, 'input')['redactions']) ?? 0,
    },
    decision: {
      effect: text(decision['effect']),
      basis: text(decision['basis']),
      rules: objects(decision['determining']).map((rule) => ({
        id: text(rule['id']),
        effect: text(rule['effect']),
        reason: textOrNull(rule['reason']),
        remedy: textOrNull(rule['remedy']),
      })),
      errors: objects(decision['errors']).map((error) => text(error['message'])),
      obligations: texts(decision['obligations']),
      approval: approvalOf(objectAt(pre, 'approval')),
      shadow: shadowOfCall(text(decided['call']), material.shadowRecords ?? []),
      engine: typeof engine['name'] === 'string' ? `${engine['name']} ${text(engine['version'])}` : null,
      policySetHash: textOrNull(decision['policy_set_hash']),
      durationUs: numberOrNull(decision['duration_us']) ?? 0,
    },
    facts: {
      labels: texts(pre['labels_before']),
      derived: objectAt(derived, 'facts'),
      untold: texts(derived['untold']),
      extractorHash: textOrNull(derived['extractor_hash']),
      quota: explainQuota(objectAt(pre, 'quota')),
      definitionHash: textOrNull(target['definition_hash']),
      codeHash: textOrNull(target['code_hash']),
      sandbox:
        typeof sandbox['engine'] === 'string' ? `${sandbox['engine']}, profile ${text(sandbox['profile'])}` : null,
    },
    outcome: ended === undefined ? null : explainOutcome(ended, material),
    records: parsed.map((record, position) => ({
      kind: text(record['kind']),
      index: material.records[position]?.index ?? 0,
      id: text(record['id']),
      time: text(record['time']),
    })),
    proof: material.proof,
  }
}

function explainQuota(quota: JsonObject): ExplainedQuota | null {
  if (typeof quota['target'] !== 'string') return null
  return {
    target: quota['target'],
    agent: numbers(objectAt(quota, 'agent')),
    tool: numbers(objectAt(quota, 'tool')),
    spend: numberOrNull(quota['spend']) ?? 0,
    retryAfterSeconds: numberOrNull(quota['retry_after_s']),
  }
}

function approvalOf({ id, by, at }: JsonObject): CallExplanation['decision']['approval'] {
  return typeof id === 'string' ? { id, by: textOrNull(by), at: textOrNull(at) } : null
}

/** `level` says what was asked to be kept at the most. */
function notKept(record: JsonObject): string {
  return `were never kept (level ${text(record['level'])})`
}

function explainOutcome(record: JsonObject, { output, outputGone }: CallMaterial): CallExplanation['outcome'] {
  const time = text(record['time'])
  const none = {
    durationMs: null,
    cpuMs: null,
    maxRssBytes: null,
    peakProcesses: null,
    readBytes: null,
    writtenBytes: null,
    exitCode: null,
    innerCalls: 0,
    bytesOut: null,
    labelsAfter: null,
    failedInvariants: [],
    invariants: [],
    jail: null,
    obligations: [],
    output: null,
    outputBytes: null,
    outputGone: null,
    outputRedactions: 0,
  }
  if (record['kind'] === 'abandoned') {
    return { status: 'abandoned', detail: textOrNull(objectAt(record, 'event')['reason']), time, ...none }
  }
  const outcome = objectAt(record, 'outcome')
  const resources = objectAt(outcome, 'resources')
  const invariants = objects(outcome['invariants']).map((one) => ({
    id: text(one['id']),
    pass: one['pass'] === true,
    detail: textOrNull(one['detail']),
  }))
  const isKept = invariants.some(({ pass }) => !pass)
  return {
    status: text(outcome['status']),
    detail: textOrNull(outcome['detail']),
    time,
    durationMs: numberOrNull(outcome['duration_ms']),
    cpuMs: numberOrNull(resources['cpu_ms']),
    maxRssBytes: numberOrNull(resources['max_rss']),
    peakProcesses: numberOrNull(resources['peak_processes']),
    readBytes: numberOrNull(resources['read_bytes']),
    writtenBytes: numberOrNull(resources['written_bytes']),
    exitCode: numberOrNull(outcome['exit_code']),
    innerCalls: numberOrNull(outcome['inner_calls']) ?? 0,
    bytesOut: numberOrNull(outcome['bytes_out']),
    labelsAfter: texts(outcome['labels_after']),
    failedInvariants: invariants.filter(({ pass }) => !pass).map(({ id }) => id),
    invariants,
    jail: isJsonObject(outcome['jail']) ? outcome['jail'] : null,
    obligations: objects(outcome['obligations']).map((one) => ({
      obligation: text(one['obligation']),
      fulfilled: one['fulfilled'] === true,
      detail: text(one['detail']),
    })),
    output: isKept ? null : output,
    outputBytes: numberOrNull(objectAt(outcome, 'output')['bytes']),
    outputGone:
      outcome['output'] == null
        ? `was never kept (level ${text(record['level'])})`
        : output === null && !isKept
          ? (outputGone ?? null)
          : null,
    outputRedactions: numberOrNull(objectAt(outcome, 'output')['redactions']) ?? 0,
  }
}

function objectAt(object: JsonObject, name: string): JsonObject {
  const value = object[name]
  return isJsonObject(value) ? value : {}
}

function objects(value: JsonValue | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : []
}

function numbers(object: JsonObject): Record<string, number> {
  const found: Record<string, number> = {}
  for (const [name, value] of Object.entries(object)) if (typeof value === 'number') found[name] = value
  return found
}

function texts(value: JsonValue | undefined): string[] {
  return Array.isArray(value) ? value.filter((member) => typeof member === 'string') : []
}

function text(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : ''
}

function textOrNull(value: JsonValue | undefined): string | null {
  return typeof value === 'string' ? value : null
}

function numberOrNull(value: JsonValue | undefined): number | null {
  return typeof value === 'number' ? value : null
}
