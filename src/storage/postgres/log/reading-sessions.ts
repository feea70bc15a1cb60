import { databaseUnavailable } from '../database-failure.ts'
import type { Session } from '../session.ts'
import { answeredInTime, openLogReadingSession, type LogSessionOptions } from './log-session.ts'

const mostSessions = 4

interface ReadingSession {
  readonly session: Promise<Session>
  /** Statements under way. */
  running: number
}

/** A few sessions for reading, so that one long statement does not keep all others waiting. Opened when needed. */
export class ReadingSessions {
  readonly #options: LogSessionOptions
  #open: ReadingSession[] = []
  #closed = false

  constructor(options: LogSessionOptions) {
    this.#options = options
  }

  /** Rows of one statement. @throws McpworksError `storage_unavailable` */
  async read(sql: string, parameters: readonly unknown[] = []): Promise<Record<string, unknown>[]> {
    try {
      const chosen = this.#choose()
      chosen.running += 1
      try {
        const session = await chosen.session
        return (await answeredInTime(session, this.#options.silentMs, () => session.query(sql, parameters))).rows
      } finally {
        chosen.running -= 1
      }
    } catch (cause) {
      throw databaseUnavailable(cause)
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    const open = this.#open.splice(0)
    await Promise.all(open.map(async ({ session }) => (await session).close().catch(() => {})))
  }

  #choose(): ReadingSession {
    const idle = this.#open.find(({ running }) => running === 0)
    if (idle !== undefined) return idle
    if (this.#open.length >= mostSessions || this.#closed) {
      const [least] = this.#open.toSorted((one, other) => one.running - other.running)
      if (least !== undefined) return least
    }
    const made: ReadingSession = { session: openLogReadingSession(this.#options, 'log reader'), running: 0 }
    const forget = () => (this.#open = this.#open.filter((other) => other !== made))
    made.session.then((session) => session.onEnd(forget), forget)
    this.#open.push(made)
    return made
  }
}
