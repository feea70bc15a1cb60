import { logPeriod, periodEndMs } from '../../../audit/index.ts'
import type { Session } from '../session.ts'

/** A namespace's log, as a writer knows it. */
export interface KnownLog {
  readonly log: number
  /** The period of its open tree, or of one before: others may have begun a new one since. */
  readonly period: string
  /** When that ends. */
  readonly periodEndsMs: number
}

/** The logs of the namespaces that a writer has written to. */
export class LogNamespaces {
  readonly #known = new Map<string, KnownLog>()

  /** The log of a namespace that was looked up before. */
  get(namespace: string): KnownLog {
    const known = this.#known.get(namespace)
    if (known === undefined) throw new RangeError('a namespace that was not looked up')
    return known
  }

  has(namespace: string): boolean {
    return this.#known.has(namespace)
  }

  /** Looks up the log of a namespace; makes it with its first tree where it is missing, and says so. @throws DatabaseError */
  async find(session: Session, namespace: string, timeMs: number): Promise<{ readonly made: boolean }> {
    const { changes } = await session.query(
      `WITH made AS (INSERT INTO logs (namespace) VALUES ($1) ON CONFLICT (namespace) DO NOTHING RETURNING log)
       INSERT INTO trees (log, period, first_idx) SELECT log, $2, 0 FROM made`,
      [namespace, logPeriod(timeMs)],
    )
    await this.refresh(session, namespace)
    return { made: changes === 1 }
  }

  /** Reads which tree of a namespace is open. @throws DatabaseError */
  async refresh(session: Session, namespace: string): Promise<void> {
    const { rows } = await session.query(
      'SELECT log, period FROM logs JOIN trees USING (log) WHERE namespace = $1 ORDER BY first_idx DESC LIMIT 1',
      [namespace],
    )
    const [row = {}] = rows
    this.note(namespace, Number(row['log']), String(row['period']))
  }

  /** Notes which tree of a namespace is open. */
  note(namespace: string, log: number, period: string): void {
    this.#known.set(namespace, { log, period, periodEndsMs: periodEndMs(period) })
  }
}
