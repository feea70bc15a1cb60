import type { DecisionLog } from '../../audit/index.ts'
import type { Clock, Digest, JsonObject, JsonValue } from '../../kernel/index.ts'
import { appendEvent } from '../append-event.ts'
import type { ShadowDifference } from './shadow-protocol.ts'

/** Calls that one record tells of, and for how long the first of them waits, in milliseconds. */
const callsPerRecord = 100
const longestWaitMs = 2_000

/** Why a call was not decided by the shadow policies. */
export type MissedReason = 'busy' | 'too-large' | 'tool-changed'

interface OpenRecord {
  readonly policySetHash: Digest
  readonly same: string[]
  readonly differences: ShadowDifference[]
  readonly missed: Map<MissedReason, number>
  readonly timer: NodeJS.Timeout
}

/**
 * Writes what shadow policies would have decided into the log of the namespace: one record for up to a hundred calls,
 * so that trying policies does not double the log. Written behind the calls, which wait for none of it: what is not
 * durable when the process is killed is lost, and can be had again by a replay.
 */
export class ShadowRecords {
  readonly #decisionLog: Pick<DecisionLog, 'append'>
  readonly #clock: Clock
  readonly #onFailure: (error: unknown) => void
  readonly #open = new Map<string, OpenRecord>()
  readonly #writing = new Set<Promise<void>>()

  constructor(decisionLog: Pick<DecisionLog, 'append'>, clock: Clock, onFailure: (error: unknown) => void) {
    this.#decisionLog = decisionLog
    this.#clock = clock
    this.#onFailure = onFailure
  }

  decided(namespace: string, policySetHash: Digest, call: string, difference: ShadowDifference | null): void {
    const record = this.#record(namespace, policySetHash)
    if (difference === null) record.same.push(call)
    else record.differences.push(difference)
    if (record.same.length + record.differences.length >= callsPerRecord) this.#write(namespace)
  }

  missed(namespace: string, policySetHash: Digest, reason: MissedReason): void {
    const { missed } = this.#record(namespace, policySetHash)
    missed.set(reason, (missed.get(reason) ?? 0) + 1)
  }

  /** Writes what is there and waits until it is durable, or could not be written. */
  async flush(): Promise<void> {
    for (const namespace of this.#open.keys()) this.#write(namespace)
    await Promise.all(this.#writing)
  }

  /** A record of its own about the shadow policies, durable when this resolves. @throws McpworksError `audit_unavailable` */
  async tell(namespace: string, event: JsonObject): Promise<void> {
    await this.#append(namespace, event)
  }

  #record(namespace: string, policySetHash: Digest): OpenRecord {
    const open = this.#open.get(namespace)
    if (open?.policySetHash === policySetHash) return open
    if (open !== undefined) this.#write(namespace)
    const timer = setTimeout(() => this.#write(namespace), longestWaitMs)
    const made = { policySetHash, same: [], differences: [], missed: new Map(), timer }
    this.#open.set(namespace, made)
    return made
  }

  #write(namespace: string): void {
    const record = this.#open.get(namespace)
    if (record === undefined) return
    this.#open.delete(namespace)
    clearTimeout(record.timer)
    const event = {
      type: 'shadow-decisions',
      policy_set: record.policySetHash,
      same: record.same,
      differences: record.differences as unknown as JsonValue,
      missed: Object.fromEntries(record.missed),
    }
    const writing = this.#append(namespace, event)
      .catch(this.#onFailure)
      .finally(() => this.#writing.delete(writing))
    this.#writing.add(writing)
  }

  async #append(namespace: string, event: JsonObject): Promise<void> {
    await appendEvent(this.#decisionLog, this.#clock, { kind: 'shadow', namespace, event })
  }
}
