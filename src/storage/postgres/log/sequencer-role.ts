import { McpworksError } from '../../../kernel/index.ts'
import { randomPool } from '../../random-pool.ts'
import type { Session } from '../session.ts'
import { releaseAdvisoryLock, sequencerLock } from './advisory-locks.ts'
import { AbandonedWriters } from './abandoned-writers.ts'
import { prepareLog } from './log-identity.ts'
import { answeredInTime, openLogSession } from './log-session.ts'
import type { LogWorkerSettings } from './log-worker-protocol.ts'
import { Sequencer, type SequencerParts } from './sequencer.ts'

/**
 * Stands for the role of the sequencer, over sessions that break, and does its work while it has it. What fails here fails
 * no append: records are durable and chained before they are in the order of all, and are put there at the next try. But
 * an order that somebody else wrote is gone on in by nobody, and `onRefused` is told why, `null` once it can be again.
 */
export class SequencerRole {
  readonly #settings: LogWorkerSettings
  readonly #onRefused: (reason: string | null) => void
  #refused: string | null = null
  #session: Session | null = null
  readonly #random = randomPool()
  #sequencer: Sequencer | null = null
  #parts: SequencerParts | null = null
  #abandoned: AbandonedWriters | null = null
  #running: Promise<void> = Promise.resolve()

  constructor(settings: LogWorkerSettings, onRefused: (reason: string | null) => void) {
    this.#settings = settings
    this.#onRefused = onRefused
  }

  /** Does what is due if this is the sequencer or can be it. Never rejects: what could not be done stays due. */
  run(sign: 'full' | 'all'): Promise<void> {
    this.#running = this.#running.then(() => this.#run(sign))
    return this.#running
  }

  /** Gives the role up while somebody does something that takes it in another session. Rejects as `work` does. */
  async standAside<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#running.then(async () => {
      await this.#giveUp()
      return work()
    })
    this.#running = result.then(
      () => {},
      () => {},
    )
    return result
  }

  async #giveUp(): Promise<void> {
    const session = this.#session
    const had = this.#sequencer !== null
    this.#sequencer = null
    if (had && session?.ended === null)
      await answeredInTime(session, this.#settings.silentMs, () => releaseAdvisoryLock(session, sequencerLock))
  }

  async close(): Promise<void> {
    await this.#running
    this.#sequencer = null
    const session = this.#session
    this.#session = null
    if (session?.ended === null) await answeredInTime(session, this.#settings.silentMs, () => session.close())
  }

  async #run(sign: 'full' | 'all'): Promise<void> {
    try {
      if (this.#session?.ended !== null) await this.#begin()
      const session = this.#session
      const parts = this.#parts
      if (session === null || parts === null) return
      await answeredInTime(session, this.#settings.silentMs, async () => {
        this.#sequencer ??= await Sequencer.open(parts)
        await this.#sequencer?.run(sign)
        if (sign === 'all' && this.#sequencer !== null) await this.#abandoned?.look(performance.now(), Date.now())
      })
      // Where another session has the lock, nothing was looked at.
      if (this.#sequencer !== null) this.#tell(null)
    } catch (error) {
      if (error instanceof McpworksError) this.#tell(error.detail ?? error.message)
      // What it holds in memory may be ahead of the database, or behind another sequencer: a new session begins anew.
      this.#sequencer = null
      this.#session?.destroy('the order of the log was not written')
    }
  }

  #tell(reason: string | null): void {
    if (reason === this.#refused) return
    this.#refused = reason
    this.#onRefused(reason)
  }

  async #begin(): Promise<void> {
    const { masterKey, graceMs, silentMs } = this.#settings
    this.#sequencer = null
    const session = await openLogSession(this.#settings, 'log order')
    this.#session = session
    const identity = await answeredInTime(session, silentMs, () => prepareLog(session, masterKey))
    this.#parts = { session, masterKey, identity }
    this.#abandoned = new AbandonedWriters({ ...this.#parts, random: this.#random, graceMs })
  }
}
