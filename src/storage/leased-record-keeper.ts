import type { ErasureResult, ExpiryStep, Hold, RecordKeeper, StepResult } from '../audit/index.ts'
import { McpworksError } from '../kernel/index.ts'
import type { ActiveRole } from './active-role.ts'

/** The keeper of a server that acts only while it holds the lease: another one's operators may have placed a hold since. */
export class LeasedRecordKeeper implements RecordKeeper {
  readonly #keeper: RecordKeeper
  readonly #role: Pick<ActiveRole, 'lost'>

  constructor(keeper: RecordKeeper, role: Pick<ActiveRole, 'lost'>) {
    this.#keeper = keeper
    this.#role = role
  }

  holds(namespace: string | null): Promise<Hold[]> {
    return this.#keeper.holds(namespace)
  }

  async placeHold(hold: Hold): Promise<void> {
    this.#requireLease()
    await this.#keeper.placeHold(hold)
  }

  async liftHold(lift: Parameters<RecordKeeper['liftHold']>[0]): Promise<Hold | null> {
    this.#requireLease()
    return this.#keeper.liftHold(lift)
  }

  async expire(step: ExpiryStep): Promise<StepResult> {
    this.#requireLease()
    return this.#keeper.expire(step)
  }

  async erase(erasure: Parameters<RecordKeeper['erase']>[0]): Promise<ErasureResult> {
    this.#requireLease()
    return this.#keeper.erase(erasure)
  }

  async sweepErased(): Promise<StepResult> {
    this.#requireLease()
    return this.#keeper.sweepErased()
  }

  /** The holds themselves are looked at in the database, in the transaction that removes. */
  #requireLease(): void {
    const lost = this.#role.lost()
    if (lost !== null) throw new McpworksError('audit_unavailable', { detail: `the lease is lost: ${lost}` })
  }
}
