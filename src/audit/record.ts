import type { Digest, JsonObject, JsonValue } from '../kernel/index.ts'
import type { JailDraft } from './jail-draft.ts'

/** Version of the record format. */
export const recordVersion = 1

/** Kinds of record. */
export type RecordKind =
  | 'decision'
  | 'outcome'
  | 'abandoned'
  | 'denied-at-door'
  | 'policy-change'
  | 'credential'
  | 'approval'
  | 'start'
  | 'shadow'
  | 'quarantine'
  | 'retention'
  | 'erasure'
  | 'legal-hold'
  | 'period'
  | 'alarm'
  | 'key-change'

/** What a writer of records gives; the log adds version, id, time, writer, sequence and chain. */
export type RecordDraft = DecisionDraft | OutcomeDraft | EventDraft

/** Fields that every draft has. */
interface DraftEnvelope {
  readonly namespace: string
  /** Mints one per stretch of an agent's work. */
  readonly run: string
  /** Id of the call: the decision and its outcome share it. */
  readonly call: string
  readonly parentCall: string | null
  /** W3C trace id given by the caller: it links, it never keys. */
  readonly trace: string | null
}

/** Reference to a body kept beside the record, encrypted, with a salted commitment in the record. */
export interface BodyDraft {
  /** JSON text. */
  readonly json: string
  /** In how many places secrets were taken out of it; none where it is left out. */
  readonly redactions?: number
}

/** Everything known before the effect, and the decision. */
export interface DecisionDraft extends DraftEnvelope {
  readonly kind: 'decision'
  readonly mcp: { readonly method: string; readonly protocolVersion: string | null; readonly requestId: string | null }
  readonly pre: {
    /** The approval that was spent on the call; without `by`, the request that was made for it. */
    readonly approval?: { readonly id: string; readonly by: string | null; readonly atMs: number | null }
    readonly principal: {
      readonly type: string
      readonly id: string
      readonly groups: readonly string[]
      /** For whom the present actor acts, the nearest first and the principal last; empty where nobody acts for another. */
      readonly onBehalfOf: readonly string[]
    }
    readonly authn: {
      readonly method: string
      readonly credentialId: string
      readonly senderConstrained: boolean
      /** How, where it is. */
      readonly binding?: 'dpop' | 'mtls'
      /** Of the key that the caller proved to hold, in base64url. */
      readonly keyThumbprint?: string
      readonly expiresAtMs: number | null
      /** Only with an access token: who issued it, to which client, and who acts with it (RFC 8693 section 4.1). */
      readonly token?: {
        readonly issuer: string
        readonly clientId: string | null
        /** An HMAC of its `jti`, where it has one. */
        readonly idHmac?: string
        /** The present actor first. */
        readonly actors: readonly string[]
      }
    }
    readonly client: { readonly address: string; readonly claimedName: string | null }
    readonly door: string
    readonly target: {
      readonly service: string | null
      readonly tool: string
      readonly definitionHash: Digest | null
      readonly codeHash: Digest | null
    }
    readonly sandbox: {
      readonly engine: string
      readonly profile: string
      readonly profileHash: Digest
      readonly runtime: string
    } | null
    readonly labelsBefore: readonly string[]
    readonly derived: JsonObject
    /** Absent where nothing is counted: management, reading of the log, and what the caller may not know of. */
    readonly quota?: QuotaDraft
  }
  readonly decision: {
    readonly effect: 'allow' | 'deny'
    readonly basis: string
    readonly engine: { readonly name: string; readonly version: string } | null
    readonly policySetHash: Digest | null
    readonly schemaHash: Digest | null
    readonly entitiesHash: Digest | null
    readonly requestHash: Digest | null
    readonly determining: readonly {
      readonly id: string
      readonly effect: string
      readonly textHash: Digest
      readonly reason: string | null
      readonly remedy: string | null
    }[]
    readonly errors: readonly { readonly policyId: string | null; readonly message: string }[]
    readonly obligations: readonly string[]
    readonly evaluatedAtMs: number
    readonly durationUs: number
    readonly mode: 'enforce'
  }
  /** The arguments, and the exact engine input. */
  readonly bodies: { readonly input: BodyDraft | null; readonly engineInput: BodyDraft | null }
}

/** What the caller had used before a call, as policy saw it, and what the call adds. */
export interface QuotaDraft {
  /** Type and name of what is used, such as `Tool leads-top`. */
  readonly target: string
  /** Of everything in the namespace. */
  readonly agent: QuotaFigures
  /** Of the target. */
  readonly tool: QuotaFigures
  /** What this call spends, in minor units; 0 where it was refused. */
  readonly spend: number
  /** After which waiting alone would have had it allowed; `null` where it was allowed, or that cannot be told. */
  readonly retryAfterSeconds: number | null
}

/** Figures of the last minute, of the day in UTC, and calls under way. */
export interface QuotaFigures {
  readonly callsMinute: number
  readonly callsDay: number
  readonly bytesOutDay: number
  readonly spendDay: number
  readonly running: number
}

/** What happened after an allowed decision. */
export interface OutcomeDraft extends DraftEnvelope {
  readonly kind: 'outcome'
  /** The principal of the decision: its output is sealed under that one's key. */
  readonly subject: string
  readonly outcome: {
    readonly status: 'ok' | 'tool-error' | 'protocol-error' | 'timeout' | 'killed' | 'limit' | 'input-required'
    /** A sentence for people: `memory: 128 MiB reached`. Never the tool's output. */
    readonly detail: string | null
    readonly durationMs: number
    readonly resources: {
      readonly cpuMs: number
      readonly maxRssBytes: number
      /** All memory on the jail's account, files in its tmpfs too; absent where it has no cgroup. */
      readonly peakMemoryBytes?: number
      /** The most processes and threads at once; absent where nothing counts them. */
      readonly peakProcesses?: number
      /** What system calls read and wrote; as of the last look; absent where it ended before the first. */
      readonly readBytes?: number
      readonly writtenBytes?: number
    } | null
    /** 0-255, 128 + n for signal n; absent where the code's process did not end by itself. Code can choose it. */
    readonly exitCode?: number
    readonly innerCalls: number
    /** What the kernel told of the jail that code ran in, from outside of it; absent where none did. */
    readonly jail?: JailDraft
    /** Bytes of JSON in the result that was handed out. */
    readonly bytesOut: number
    readonly invariants: readonly { readonly id: string; readonly pass: boolean; readonly detail: string | null }[]
    readonly labelsAfter: readonly string[]
    /** What the permits demanded and what came of it, where they demanded anything. Details quote nothing of the output. */
    readonly obligations?: readonly {
      readonly obligation: string
      readonly fulfilled: boolean
      readonly detail: string
    }[]
    readonly definitionHashAfter: Digest | null
  }
  readonly bodies: { readonly output: BodyDraft | null }
}

/**
 * Records that are not about a call: refusals at the door, policy and credential changes, what people approve, starts, alarms,
 * and what the log writes of itself (`abandoned`, `period`).
 */
export interface EventDraft extends DraftEnvelope {
  readonly kind:
    | 'denied-at-door'
    | 'policy-change'
    | 'credential'
    | 'approval'
    | 'start'
    | 'abandoned'
    | 'shadow'
    | 'quarantine'
    | 'period'
    | 'alarm'
    | 'key-change'
    | 'retention'
    | 'erasure'
    | 'legal-hold'
  readonly event: { readonly [key: string]: JsonValue }
}

/** A record as stored and hashed: RFC 8785 text. Field names are those of `design/decision-record.md`. */
export interface StoredRecord {
  /** Position in the namespace's log, from 0. */
  readonly index: number
  readonly id: string
  readonly timeMs: number
  readonly namespace: string
  readonly kind: RecordKind
  readonly call: string
  /** RFC 8785 text; the Merkle leaf is its RFC 6962 hash. */
  readonly json: string
}

/** What the writer gets back once the record is durable. */
export interface Receipt {
  readonly id: string
  readonly namespace: string
  readonly index: number
}
