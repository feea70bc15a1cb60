import { blockWidth, PositionSet } from './position-set.ts'
import type { Posting, SearchIndex } from './search-index.ts'
import type { PositionRange } from './time-spans.ts'

/** Rows that are read at once: few at first, because the newest may be enough. */
const firstRows = 4
const mostRowsAtOnce = 256

/** What has been looked at so far, against what one search may. */
export interface SearchBudget {
  rowsLeft: number
}

/** Positions of one block, highest first; `positions` is empty where looking ended early. */
export interface FoundPositions {
  readonly positions: readonly number[]
  /** Where looking ended for now, so that it can go on below; `null` while it goes on by itself. */
  readonly stoppedAt: number | null
}

/**
 * Looks for positions that have every term, newest first. Each term's blocks are read from the newest on, and the term
 * that is furthest back says where the others go on: what they have in between is not read. Where the rarer terms leave
 * few positions of a block, the others are not asked about them, so that some positions may lack a term.
 */
export async function* findPositions(
  index: SearchIndex,
  log: number,
  terms: readonly number[],
  { first, last }: PositionRange,
  budget: SearchBudget,
): AsyncGenerator<FoundPositions> {
  const firstBlock = Math.floor(first / blockWidth)
  let block = Math.floor(last / blockWidth)
  const cursors = await rarestFirst(
    terms.map((term) => new PostingCursor(index, log, term, budget)),
    block,
  )
  while (block >= firstBlock) {
    const met = await meet(cursors, block)
    if (met === null || met.block < firstBlock) return
    if (met.docs !== null) {
      const positions = [...met.docs.descending()]
        .map((offset) => met.block * blockWidth + offset)
        .filter((position) => position >= first && position <= last)
      if (positions.length > 0) yield { positions, stoppedAt: null }
    }
    block = met.docs === null ? met.block : met.block - 1
    // After a step and not before one: whoever goes on from here must come further.
    if (budget.rowsLeft <= 0 && block >= firstBlock) {
      yield { positions: [], stoppedAt: (block + 1) * blockWidth }
      return
    }
  }
}

/** In the order of how far their first few blocks reach. */
async function rarestFirst(cursors: readonly PostingCursor[], block: number): Promise<PostingCursor[]> {
  const reaches: { cursor: PostingCursor; reach: number }[] = []
  for (const cursor of cursors) {
    await cursor.seek(block)
    reaches.push({ cursor, reach: cursor.reach })
  }
  return reaches.toSorted((one, other) => one.reach - other.reach).map(({ cursor }) => cursor)
}

/** Positions of a block that are so few that to read them costs less than to ask the next term about them. */
const fewPositions = 4

/** The block that all have at or below `block`, or the one that the furthest back of them has; `null` where one has none. */
async function meet(
  cursors: readonly PostingCursor[],
  block: number,
): Promise<{ readonly block: number; readonly docs: PositionSet | null } | null> {
  let docs: PositionSet | null = null
  for (const cursor of cursors) {
    if (docs !== null && !cursor.holds(block) && docs.isFew(fewPositions)) continue
    const posting = await cursor.seek(block)
    if (posting === null) return null
    if (posting.block < block && docs !== null) return { block: posting.block, docs: null }
    if (docs === null) {
      docs = PositionSet.decode(posting.docs)
      block = posting.block
    } else docs.intersect(PositionSet.decode(posting.docs))
  }
  return docs === null ? null : { block, docs }
}

/** Blocks of one term, from the newest downwards. */
class PostingCursor {
  readonly #index: SearchIndex
  readonly #log: number
  readonly #term: number
  readonly #budget: SearchBudget
  #rows: Posting[] = []
  #at = 0
  #isLast = false
  #rowsAtOnce = firstRows

  constructor(index: SearchIndex, log: number, term: number, budget: SearchBudget) {
    this.#index = index
    this.#log = log
    this.#term = term
    this.#budget = budget
  }

  /** The oldest block that has been read; -1 where there are no older ones. */
  get reach(): number {
    return this.#isLast ? -1 : (this.#rows.at(-1)?.block ?? -1)
  }

  /** Whether it can tell of a block without reading. */
  holds(block: number): boolean {
    return this.reach <= block
  }

  /** The newest block at or below `block`. Never goes back up. */
  async seek(block: number): Promise<Posting | null> {
    const before = this.#at
    while (this.#at < this.#rows.length && (this.#rows[this.#at]?.block ?? 0) > block) this.#at += 1
    // Passing over most of what was read says that the others are rarer: less is read ahead.
    if (this.#at - before > this.#rowsAtOnce / 2) this.#rowsAtOnce = firstRows
    const held = this.#rows[this.#at]
    if (held !== undefined) return held
    if (this.#isLast) return null
    this.#rows = await this.#index.postings(this.#log, this.#term, block, this.#rowsAtOnce)
    this.#budget.rowsLeft -= this.#rows.length
    this.#at = 0
    this.#isLast = this.#rows.length < this.#rowsAtOnce
    this.#rowsAtOnce = Math.min(this.#rowsAtOnce * 4, mostRowsAtOnce)
    return this.#rows[0] ?? null
  }
}
