import { parseObject, RecordTerms, type TermSource } from '../../audit/index.ts'
import { isJsonObject } from '../../kernel/index.ts'
import type { LogRow, LogRows } from './log-rows.ts'
import type { IndexCursor, IndexedDocument, SearchIndex } from './search-index.ts'

/** Kinds of records that belong to the decision of their call. */
export const laterKinds: readonly string[] = ['outcome', 'abandoned']

/** Decisions that are kept in memory until their calls end; others are read again. */
const keptDecisions = 2_000

/** What is kept of a decision until its call ends. */
interface OpenCall {
  readonly log: number
  readonly position: number
  readonly terms: RecordTerms
}

/** Follows the log and puts what it reads into the index. */
export class LogIndexer {
  readonly #rows: LogRows
  readonly #index: SearchIndex
  readonly #numberOf: (term: string) => number
  readonly #open = new Map<string, OpenCall>()
  #cursor: IndexCursor

  constructor(rows: LogRows, index: SearchIndex, numberOf: (term: string) => number, cursor: IndexCursor) {
    this.#rows = rows
    this.#index = index
    this.#numberOf = numberOf
    this.#cursor = cursor
  }

  /** Sequence number of the last record in the index, -1 for none. */
  get seq(): number {
    return this.#cursor.seq
  }

  /** Takes at most `limit` records. Answers how many. Nothing is kept where it fails. */
  async step(limit: number): Promise<number> {
    const rows = await this.#rows.after(this.#cursor.seq, limit)
    const last = rows.at(-1)
    if (last === undefined) return 0
    try {
      const documents = await this.#documents(rows)
      const cursor = { seq: last.seq, id: last.id }
      await this.#index.add(documents, cursor)
      this.#cursor = cursor
    } catch (error) {
      this.#open.clear()
      throw error
    }
    return rows.length
  }

  async #documents(rows: readonly LogRow[]): Promise<IndexedDocument[]> {
    await this.#readDecisions(rows)
    const documents: IndexedDocument[] = []
    for (const row of rows) {
      // What is no longer kept cannot be found.
      const record = row.json === '' ? null : parseObject(row.json)
      if (record === null) continue
      const source = { kind: row.kind, record }
      const call = laterKinds.includes(row.kind) ? await this.#decisionOf(row) : null
      const gone = textsGoneBelow(source)
      // Before the cursor passes the record: what is not forgotten now is never forgotten.
      if (gone !== null) await this.#index.forgetBelow(row.log, gone)
      documents.push(call === null ? this.#begin(row, source) : this.#addTo(call, source))
      if (call !== null) this.#open.delete(keyOf(row))
    }
    return documents
  }

  /** The call that a record ends; `null` where its decision is not there or not kept. */
  async #decisionOf(row: LogRow): Promise<OpenCall | null> {
    const key = keyOf(row)
    // Few are read here: a page with more calls than are kept in memory.
    if (!this.#open.has(key)) await this.#readDecisions([row])
    return this.#open.get(key) ?? null
  }

  /** Reads the decisions of calls that end in these rows and began long before. */
  async #readDecisions(rows: readonly LogRow[]): Promise<void> {
    const here = new Set(rows.filter(({ kind }) => kind === 'decision').map(keyOf))
    const wanted = rows.filter(
      (row) => laterKinds.includes(row.kind) && !here.has(keyOf(row)) && !this.#open.has(keyOf(row)),
    )
    for (let at = 0; at < wanted.length; at += 200) {
      const calls = wanted.slice(at, at + 200).map(({ call }) => call)
      for (const row of await this.#rows.ofCalls(calls, ['decision'])) {
        const record = parseObject(row.json)
        const terms = new RecordTerms()
        if (record !== null) terms.add({ kind: row.kind, record })
        // Also where it is no longer kept: what followed it is no thing of its own.
        this.#keep(row, terms)
      }
    }
  }

  #begin(row: LogRow, source: TermSource): IndexedDocument {
    const terms = new RecordTerms()
    const added = terms.add(source)
    if (row.kind === 'decision') this.#keep(row, terms)
    return { log: row.log, position: row.index, timeMs: row.timeMs, terms: this.#numbers(added) }
  }

  /** Only what the call is not found by already. */
  #addTo(call: OpenCall, source: TermSource): IndexedDocument {
    return { log: call.log, position: call.position, timeMs: null, terms: this.#numbers(call.terms.add(source)) }
  }

  #keep(row: LogRow, terms: RecordTerms): void {
    const [oldest] = this.#open.keys()
    if (this.#open.size >= keptDecisions && oldest !== undefined) this.#open.delete(oldest)
    this.#open.set(keyOf(row), { log: row.log, position: row.index, terms })
  }

  #numbers(terms: readonly string[]): number[] {
    return terms.map((term) => this.#numberOf(term))
  }
}

/** The position below which a record says that no texts are kept; `null` where it says nothing of the kind. */
function textsGoneBelow({ kind, record }: TermSource): number | null {
  const { event } = record
  if (kind !== 'retention' || !isJsonObject(event) || event['what'] !== 'texts') return null
  return typeof event['below'] === 'number' ? event['below'] : null
}

function keyOf({ log, call }: LogRow): string {
  return `${log} ${call}`
}
