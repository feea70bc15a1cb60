import type { Approvals } from '../approvals/index.ts'
import type { BodyLevel, Caller, Clock, Digest, JsonObject, JsonValue } from '../kernel/index.ts'
import type { DecisionLog } from '../audit/index.ts'
import type { ForcedProfile, PolicyEngine } from '../policy/index.ts'
import type { Backend } from './backend.ts'
import type { Catalogue } from './catalogue.ts'
import type { GatewayConfig } from './config.ts'
import type { RunLedger } from './runs/run-ledger.ts'
import type { ShadowWatch } from './shadow-watch.ts'
import type { UsageLedger } from './usage/usage-ledger.ts'
import type { Withdrawals } from './withdrawals.ts'

/** One way in which a value breaks its schema. */
export interface SchemaProblem {
  /** JSON Pointer (RFC 6901) of the place; empty for the whole value. */
  readonly path: string
  readonly message: string
}

/** Checks values against JSON Schema 2020-12. Compiles once per schema. Never fetches a `$ref`. */
export interface SchemaChecker {
  check(schema: JsonObject, value: JsonValue): readonly SchemaProblem[]
}

/** What the pipeline stands on. */
export interface GatewayPorts {
  readonly catalogue: Catalogue
  readonly policy: PolicyEngine
  readonly decisionLog: DecisionLog
  readonly schemas: SchemaChecker
  /** Carries out management operations and reads of records. */
  readonly management: Backend
  /** The sandbox as calls will find it, under the profile that a policy forces; `null` where none is running. */
  readonly sandbox: (
    runtime: string,
    forced: ForcedProfile | null,
  ) => { readonly engine: string; readonly profile: string; readonly profileHash: Digest } | null
  /**
   * The caller as it is now, `null` where its credential or principal is not good any more. Requests can be slow:
   * between the door and the pipeline lies a whole body, and between rounds of one request lie minutes.
   */
  readonly refresh: (caller: Caller) => Caller | null
  readonly withdrawals: Withdrawals
  /** The stretches of work that labels stick to. */
  readonly runs: RunLedger
  /** What callers have used, for policies to read. */
  readonly usage: UsageLedger
  /** Told when a decision is durable whose permits demand a notification. Does not block, and may forget what it is told. */
  readonly notify: () => void
  readonly approvals: Pick<Approvals, 'seek' | 'about'>
  /** Policies that are tried beside those in force. */
  readonly shadow: ShadowWatch
  /** How much of an exchange a namespace has kept beside its records, before policy has less of it kept. */
  readonly recording: { readonly level: (namespace: string) => BodyLevel }
  readonly clock: Clock
  readonly config: GatewayConfig
}
