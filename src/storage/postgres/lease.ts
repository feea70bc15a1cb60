import { setTimeout as wait } from 'node:timers/promises'
import { McpworksError, uuidv7 } from '../../kernel/index.ts'
import type { ActiveRole } from '../active-role.ts'
import { DatabaseError, databaseUnavailable } from './database-failure.ts'
import type { DatabaseOptions } from './database-options.ts'
import { endFormerSession, moveLeaseRow, readHistory, readLeaseRow, writeLeaseRow, type LeaseRow } from './lease-row.ts'
import { holdsLock, openLeaseSession, tryLock } from './lease-session.ts'
import { migrateSchema } from './migrate-schema.ts'
import type { Session } from './session.ts'
import { stateSchema } from './lease-session.ts'
import { postgresStateMigrations } from './state-migrations.ts'

const betweenTriesMs = 500

/** How the right to be active is asked for. */
export interface LeaseOptions {
  readonly database: DatabaseOptions
  /** How long the session may be silent before this server stops acting. The database frees the lease after twice that. */
  readonly silentMs: number
  /** Name of this machine, for the operator of the other one. */
  readonly host: string
  /**
   * Looks whether the master key fits the database, and answers what tells of it; given `null`, of a new database.
   * Asked before this server stands by, so that it does not find out when it is needed. @throws McpworksError
   */
  keyCheck(stored: string | null): string
  /** Told once if another server is active, before waiting for it to end. */
  onStandby?(active: { readonly host: string }): Promise<void>
  /** Ends the waiting. */
  readonly signal?: AbortSignal
}

/**
 * The right of one server to be active on a database: an advisory lock, held by one session. All state is read and
 * written through that same session, so that what a server does that has lost the lease cannot arrive, not even late:
 * the database gives the lock to another one only when it has ended the session, and all that it ran with it.
 *
 * When the session ends, state is refused at once, and the lease is sought again. What this server keeps in memory is
 * still true if nobody was active in between, which the number of the epoch tells, and the database lost nothing; then
 * it goes on. Otherwise it can only end (`replaced`).
 */
export class Lease implements ActiveRole {
  readonly replaced: Promise<string>
  readonly #options: LeaseOptions
  readonly #holder: string
  readonly #epoch: number
  readonly #history: string | null
  readonly #closing = new AbortController()
  #session: Session
  #lost: string | null = null
  #heartbeat: NodeJS.Timeout | null = null
  #beating = false
  #tellReplaced: (sentence: string) => void = () => {}

  private constructor(
    options: LeaseOptions,
    { holder, epoch, history }: { holder: string; epoch: number; history: string | null },
    session: Session,
  ) {
    this.#options = options
    this.#holder = holder
    this.#epoch = epoch
    this.#history = history
    this.#session = session
    this.replaced = new Promise((resolve) => (this.#tellReplaced = resolve))
    this.#hold(session)
  }

  /**
   * Waits until this server is the active one, and brings the tables up to date.
   * @throws McpworksError `storage_unavailable` where the database cannot be used; what `keyCheck` throws; what the
   * signal was aborted with
   */
  static async acquire(options: LeaseOptions): Promise<Lease> {
    let standsBy = false
    for (;;) {
      let session: Session | null = null
      try {
        session = await openLeaseSession(options.database, options.silentMs)
        while (!(await Lease.#isFree(session, options))) {
          if (!standsBy) await options.onStandby?.({ host: (await readLeaseRow(session))?.host ?? 'unknown' })
          standsBy = true
          await wait(betweenTriesMs, null, { signal: options.signal })
        }
        return await Lease.#take(session, options)
      } catch (error) {
        session?.destroy('the lease was not taken')
        options.signal?.throwIfAborted()
        // Who stands by outlives the database, and its primary; who starts says what is wrong.
        const mayPass = session === null || error instanceof DatabaseError
        if (!standsBy || !mayPass) throw databaseUnavailable(error)
        await wait(betweenTriesMs, null, { signal: options.signal })
      }
    }
  }

  static async #isFree(session: Session, options: LeaseOptions): Promise<boolean> {
    const row = await readLeaseRow(session)
    if (row !== null) options.keyCheck(row.keyCheck)
    return tryLock(session)
  }

  static async #take(session: Session, options: LeaseOptions): Promise<Lease> {
    // The tables of a large database may take longer to change than a statement is given otherwise.
    await session.query('SET statement_timeout = 0')
    await migrateSchema(session, stateSchema, postgresStateMigrations)
    await session.query('RESET statement_timeout')
    const keyCheck = options.keyCheck((await readLeaseRow(session))?.keyCheck ?? null)
    const holder = uuidv7(Date.now())
    const epoch = await writeLeaseRow(session, { holder, host: options.host, keyCheck })
    if (!(await holdsLock(session))) throw behindPooler()
    return new Lease(options, { holder, epoch, history: await readHistory(session) }, session)
  }

  lost(): string | null {
    return this.#lost
  }

  /** The session that holds the lease. @throws DatabaseError while it is lost */
  session(): Session {
    if (this.#lost !== null) throw new DatabaseError(null, this.#lost)
    return this.#session
  }

  /** Gives the lease up. Another server may be active before this returns. */
  async close(): Promise<void> {
    this.#closing.abort()
    if (this.#heartbeat !== null) clearInterval(this.#heartbeat)
    this.#lost ??= 'the storage is closed'
    await this.#session.close()
  }

  #hold(session: Session): void {
    this.#session = session
    this.#lost = null
    session.onEnd((reason) => {
      if (this.#session === session && !this.#closing.signal.aborted) this.#lose(reason)
    })
    this.#heartbeat = setInterval(() => void this.#beat(session), Math.ceil(this.#options.silentMs / 5))
    this.#heartbeat.unref()
  }

  /** Asks the session whether it still has the lock. No answer in time is an answer. */
  async #beat(session: Session): Promise<void> {
    if (this.#beating || session.ended !== null) return
    this.#beating = true
    const { silentMs } = this.#options
    const silence = setTimeout(
      () => session.destroy(`the database has not answered for ${silentMs / 1000} s`),
      silentMs,
    )
    try {
      if (!(await holdsLock(session))) session.destroy('the session no more holds its lock: is a pooler in between?')
    } catch (error) {
      // An answer that says no, as in a transaction that failed, is one; where there was none, the session has ended.
      if (!(error instanceof DatabaseError) || error.sqlState === null) session.destroy('the session broke')
    } finally {
      clearTimeout(silence)
      this.#beating = false
    }
  }

  #lose(reason: string): void {
    this.#lost = reason
    if (this.#heartbeat !== null) clearInterval(this.#heartbeat)
    void this.#regain()
  }

  async #regain(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      let session: Session | null = null
      try {
        session = await openLeaseSession(this.#options.database, this.#options.silentMs)
        if (await this.#tryAgain(session)) return
      } catch (error) {
        session?.destroy('the lease was not taken')
        this.#lost = sentenceOf(error)
      }
      await wait(betweenTriesMs, null, { signal: this.#closing.signal }).catch(() => {})
    }
  }

  /** Whether there is nothing more to try. @throws DatabaseError */
  async #tryAgain(session: Session): Promise<boolean> {
    const free = await tryLock(session)
    const row = await readLeaseRow(session)
    const isOurs = row?.epoch === this.#epoch && row.holder === this.#holder
    const isSame = isOurs && this.#history !== null && (await readHistory(session)) === this.#history
    if (free && isSame) {
      await moveLeaseRow(session)
      if (this.#closing.signal.aborted) await session.close()
      else this.#hold(session)
      return true
    }
    if (!free && isSame) await endFormerSession(session, row)
    await session.close()
    if (isSame) return false
    this.#tellReplaced(replacedBy(isOurs ? null : row))
    return true
  }
}

function replacedBy(row: LeaseRow | null): string {
  return row === null
    ? 'The database was restored, or another one has taken its place, so this server ends. Start it again.'
    : `The server on ${row.host} has taken over the database, so this one ends. Start it again to stand by.`
}

function sentenceOf(error: unknown): string {
  const known = databaseUnavailable(error)
  return known.detail ?? known.message
}

function behindPooler(): McpworksError {
  return new McpworksError('storage_unavailable', {
    message:
      'The connection to the database does not stay in one session: a pooler is in between. Name the database itself, or a pooler in session mode (docs/postgresql.md).',
  })
}
