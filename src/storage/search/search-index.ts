import type { Kysely, Transaction } from 'kysely'
import { blockWidth, PositionSet } from './position-set.ts'
import type { SearchTables } from './search-tables.ts'
import { TimeSpans } from './time-spans.ts'

/** Rows that one statement reads or writes: it bounds its text and its parameters. */
const rowsAtOnce = 200

/** Something that is found: a call or a record that is about none. */
export interface IndexedDocument {
  readonly log: number
  /** Of its first record. */
  readonly position: number
  /** Of its first record; `null` where it is in the index already and has got more terms. */
  readonly timeMs: number | null
  readonly terms: readonly number[]
}

/** How far the log is in the index. */
export interface IndexCursor {
  /** Of the last record, -1 for none. */
  readonly seq: number
  readonly id: string
}

/** A block of a term. */
export interface Posting {
  readonly block: number
  /** As `PositionSet` reads them. */
  readonly docs: Uint8Array
}

/** Which positions have which terms. Nothing in it is believed: it says where to look in the log. */
export class SearchIndex {
  readonly #database: Kysely<SearchTables>
  readonly times: TimeSpans

  constructor(database: Kysely<SearchTables>) {
    this.#database = database
    this.times = new TimeSpans(database)
  }

  /** Adds documents and moves the cursor, all or nothing. */
  async add(documents: readonly IndexedDocument[], cursor: IndexCursor): Promise<void> {
    try {
      await this.#database.transaction().execute(async (transaction) => {
        for (const [log, blocks] of byBlock(documents))
          for (const [block, terms] of blocks) await addToBlock(transaction, { log, block }, terms)
        await this.times.add(transaction, documents)
        await writeMeta(transaction, { cursor_seq: String(cursor.seq), cursor_id: cursor.id })
      })
    } catch (error) {
      this.times.forget()
      throw error
    }
  }

  /** Blocks of a term from `block` downwards, at most `limit`. */
  postings(log: number, term: number, block: number, limit: number): Promise<Posting[]> {
    return this.#database
      .selectFrom('search_postings')
      .select(['block', 'docs'])
      .where('log', '=', log)
      .where('term', '=', term)
      .where('block', '<=', block)
      .orderBy('block', 'desc')
      .limit(limit)
      .execute()
  }

  /** The last position of the newest block, `null` where there is none. */
  async lastBlockEnd(log: number): Promise<number | null> {
    const row = await this.#database
      .selectFrom('search_blocks')
      .select('block')
      .where('log', '=', log)
      .orderBy('block', 'desc')
      .limit(1)
      .executeTakeFirst()
    return row === undefined ? null : row.block * blockWidth + blockWidth - 1
  }

  /** Forgets the blocks of a log that lie wholly below a position. */
  async forgetBelow(log: number, position: number): Promise<void> {
    const end = Math.floor(position / blockWidth)
    for (;;) {
      const oldest = await this.#database
        .selectFrom('search_blocks')
        .select('block')
        .where('log', '=', log)
        .where('block', '<', end)
        .orderBy('block')
        .limit(1)
        .executeTakeFirst()
      if (oldest === undefined) break
      await this.#forgetBlock(log, oldest.block)
    }
    await this.times.forgetBelow(log, end * blockWidth)
  }

  async #forgetBlock(log: number, block: number): Promise<void> {
    await this.#database.transaction().execute(async (transaction) => {
      const parts = await transaction
        .selectFrom('search_blocks')
        .select('terms')
        .where('log', '=', log)
        .where('block', '=', block)
        .execute()
      for (const part of chunks(parts.flatMap(({ terms }) => readTerms(terms))))
        await transaction
          .deleteFrom('search_postings')
          .where('log', '=', log)
          .where('term', 'in', part)
          .where('block', '=', block)
          .execute()
      await transaction.deleteFrom('search_blocks').where('log', '=', log).where('block', '=', block).execute()
    })
  }
}

/** Keeps what the index is, and how far it is. */
export async function writeMeta(
  database: Kysely<SearchTables>,
  values: Readonly<Record<string, string>>,
): Promise<void> {
  await database
    .insertInto('search_meta')
    .values(Object.entries(values).map(([name, value]) => ({ name, value })))
    .onConflict((conflict) => conflict.column('name').doUpdateSet((row) => ({ value: row.ref('excluded.value') })))
    .execute()
}

/** Positions by log, block and term. */
function byBlock(documents: readonly IndexedDocument[]): Map<number, Map<number, Map<number, number[]>>> {
  const logs = new Map<number, Map<number, Map<number, number[]>>>()
  for (const { log, position, terms } of documents) {
    const block = Math.floor(position / blockWidth)
    const inBlock = entry(
      entry(logs, log, () => new Map<number, Map<number, number[]>>()),
      block,
      () => new Map<number, number[]>(),
    )
    for (const term of terms) entry(inBlock, term, () => [] as number[]).push(position % blockWidth)
  }
  return logs
}

async function addToBlock(
  transaction: Transaction<SearchTables>,
  { log, block }: { readonly log: number; readonly block: number },
  added: ReadonlyMap<number, readonly number[]>,
): Promise<void> {
  const isNew: number[] = []
  for (const terms of chunks([...added.keys()])) {
    const known = await transaction
      .selectFrom('search_postings')
      .select(['term', 'docs'])
      .where('log', '=', log)
      .where('term', 'in', terms)
      .where('block', '=', block)
      .execute()
    const sets = new Map(known.map((row) => [row.term, PositionSet.decode(row.docs)]))
    const rows = terms.map((term) => {
      const docs = sets.get(term) ?? new PositionSet()
      if (!sets.has(term)) isNew.push(term)
      for (const offset of added.get(term) ?? []) docs.add(offset)
      return { log, term, block, docs: docs.encode() }
    })
    await transaction
      .insertInto('search_postings')
      .values(rows)
      .onConflict((conflict) =>
        conflict.columns(['log', 'term', 'block']).doUpdateSet((row) => ({ docs: row.ref('excluded.docs') })),
      )
      .execute()
  }
  if (isNew.length === 0) return
  const last = await transaction
    .selectFrom('search_blocks')
    .select('part')
    .where('log', '=', log)
    .where('block', '=', block)
    .orderBy('part', 'desc')
    .limit(1)
    .executeTakeFirst()
  const part = last === undefined ? 0 : last.part + 1
  await transaction
    .insertInto('search_blocks')
    .values({ log, block, part, terms: writeTerms(isNew) })
    .execute()
}

function writeTerms(terms: readonly number[]): Uint8Array {
  const bytes = Buffer.alloc(terms.length * 8)
  for (const [position, term] of terms.entries()) bytes.writeDoubleLE(term, position * 8)
  return bytes
}

function readTerms(bytes: Uint8Array): number[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: Math.floor(bytes.length / 8) }, (_, position) => buffer.readDoubleLE(position * 8))
}

function chunks(all: readonly number[]): number[][] {
  return Array.from({ length: Math.ceil(all.length / rowsAtOnce) }, (_, part) =>
    all.slice(part * rowsAtOnce, (part + 1) * rowsAtOnce),
  )
}

function entry<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}
