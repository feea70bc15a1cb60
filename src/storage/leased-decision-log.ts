import type {
  BodyPart,
  DecisionLog,
  LogHealth,
  OpenedBody,
  Receipt,
  RecordDraft,
  RecordProof,
  RecordProver,
  RecordQuery,
  StoredRecord,
} from '../audit/index.ts'
import { McpworksError } from '../kernel/index.ts'
import type { ActiveRole } from './active-role.ts'

/**
 * The decision log of a server that acts only while it holds the lease. Nothing happens without a record, so where a
 * record is refused nothing happens: calls that come are refused, and what running ones answer is withheld.
 */
export class LeasedDecisionLog implements DecisionLog, RecordProver {
  readonly #log: DecisionLog & RecordProver
  readonly #role: Pick<ActiveRole, 'lost'>

  constructor(log: DecisionLog & RecordProver, role: Pick<ActiveRole, 'lost'>) {
    this.#log = log
    this.#role = role
  }

  /** A record that became durable while the lease was lost counts as refused: what it allows must not be done here. */
  async append(draft: RecordDraft): Promise<Receipt> {
    this.#requireLease()
    const receipt = await this.#log.append(draft)
    this.#requireLease()
    return receipt
  }

  read(query: RecordQuery): Promise<StoredRecord[]> {
    return this.#log.read(query)
  }

  readBody(recordId: string, part: BodyPart): Promise<OpenedBody | null> {
    return this.#log.readBody(recordId, part)
  }

  prove(recordId: string): Promise<RecordProof | null> {
    return this.#log.prove(recordId)
  }

  health(): LogHealth {
    return this.#leaseHealth() ?? this.#log.health()
  }

  async recheck(): Promise<LogHealth> {
    return this.#leaseHealth() ?? (await this.#log.recheck())
  }

  close(): Promise<void> {
    return this.#log.close()
  }

  #leaseHealth(): LogHealth | null {
    const lost = this.#role.lost()
    return lost === null ? null : { ok: false, reason: `the lease on the database is lost: ${lost}` }
  }

  #requireLease(): void {
    const lost = this.#role.lost()
    if (lost !== null) throw new McpworksError('audit_unavailable', { detail: `the lease is lost: ${lost}` })
  }
}
