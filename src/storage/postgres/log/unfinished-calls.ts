import { collectOpenDecisions, type OpenDecision } from '../../open-decisions.ts'
import type { AppendItem } from '../../worker-protocol.ts'
import type { Session } from '../session.ts'

/** Allowed calls of one writer whose outcome is still to be written, by the positions of their decisions. */
export class UnfinishedCalls {
  readonly #positions = new Map<string, number>()

  /** Notes decisions that were written before, oldest first. */
  load(open: readonly OpenDecision[]): void {
    for (const { call, seq } of open) this.#positions.set(call, seq)
  }

  get calls(): ReadonlySet<string> {
    return new Set(this.#positions.keys())
  }

  /** Position of the oldest; `null` where none is open. */
  get oldest(): number | null {
    const [oldest] = this.#positions.values()
    return oldest ?? null
  }

  /**
   * Notes which calls a batch begins and ends, before the row says from where on calls are open. Gives the way back,
   * for a batch that was not written: what it would have ended is open from `openFrom` on.
   */
  note(
    items: readonly Pick<AppendItem, 'kind' | 'call' | 'allows'>[],
    { nextPosition, openFrom }: { readonly nextPosition: number; readonly openFrom: number },
  ): () => void {
    const begun: string[] = []
    const ended: string[] = []
    for (const [at, { kind, call, allows }] of items.entries()) {
      if (allows) {
        this.#positions.set(call, nextPosition + at)
        begun.push(call)
      } else if ((kind === 'outcome' || kind === 'abandoned') && this.#positions.delete(call)) ended.push(call)
    }
    return () => {
      for (const call of begun) this.#positions.delete(call)
      for (const call of ended) this.#positions.set(call, openFrom)
    }
  }
}

/** Allowed decisions of a writer without an outcome, at or after a position; `seq` is the position. @throws DatabaseError */
export async function readOpenDecisions(
  session: Session,
  writer: number,
  fromPosition: number,
): Promise<OpenDecision[]> {
  const { rows } = await session.query(
    `SELECT pos AS seq, kind, call, CASE kind WHEN 'decision' THEN json END AS json FROM records
     WHERE writer = $1 AND pos >= $2 AND kind IN ('decision', 'outcome', 'abandoned') ORDER BY pos`,
    [writer, fromPosition],
  )
  return collectOpenDecisions(rows)
}
