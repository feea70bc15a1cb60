import type { RandomBytes } from '../../../audit/index.ts'
import type { Session } from '../session.ts'
import { freeAdvisoryLocks } from './advisory-locks.ts'
import type { PostgresLogIdentity } from './log-identity.ts'
import { LogWriter } from './log-writer.ts'

/** What is needed to write in the place of a server that is gone. */
export interface AbandonedWritersParts {
  readonly session: Session
  readonly identity: PostgresLogIdentity
  readonly masterKey: Uint8Array
  readonly random: RandomBytes
  /** How long a writer with open calls must be nobody's. Its server may only have lost its session, and come back. */
  readonly graceMs: number
}

/** Ends the calls of servers that are gone and do not come back. */
export class AbandonedWriters {
  readonly #parts: AbandonedWritersParts
  /** Since when writers with open calls are nobody's. */
  readonly #since = new Map<number, number>()

  constructor(parts: AbandonedWritersParts) {
    this.#parts = parts
  }

  /** Looks at all writers. `nowMs` is compared with what it was before. @throws DatabaseError */
  async look(nowMs: number, wallMs: number): Promise<void> {
    const { session, graceMs } = this.#parts
    const { rows } = await session.query('SELECT writer FROM writers WHERE open_from < next_pos')
    const open = rows.map((row) => Number(row['writer']))
    const nobodys = open.length === 0 ? [] : await freeAdvisoryLocks(session, open)
    for (const writer of this.#since.keys()) if (!nobodys.includes(writer)) this.#since.delete(writer)
    for (const writer of nobodys) {
      const since = this.#since.get(writer) ?? nowMs
      this.#since.set(writer, since)
      if (nowMs - since >= graceMs) await LogWriter.endCallsOf(this.#parts, writer, wallMs)
    }
  }
}
