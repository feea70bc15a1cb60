import type { AuditReader, RecordRow } from '../audit-reader.ts'
import { leafHash } from '../rfc6962.ts'

const pageRows = 1000

/** One record as a bundle has it. */
export interface BundledRecord {
  /** Empty where the text was let go. */
  readonly text: string
  readonly leaf: Uint8Array
}

/** A namespace's records, once through, in stretches. */
export class RecordPages {
  readonly #reader: AuditReader
  readonly #namespace: string
  #next = 0
  #page: RecordRow[] = []

  constructor(reader: AuditReader, namespace: string) {
    this.#reader = reader
    this.#namespace = namespace
  }

  /** The records from where the last stretch ended up to a position, which is not included. */
  async *upTo(end: number): AsyncIterable<BundledRecord[]> {
    for (;;) {
      const beyond = this.#page.findIndex(({ index }) => index >= end)
      const own = this.#page.splice(0, beyond < 0 ? this.#page.length : beyond)
      // A text that was tampered with may hold line ends: written as it is, it would be two records.
      if (own.length > 0) yield own.map(bundled)
      if (beyond >= 0) return
      const rows = await this.#reader.records(this.#next, pageRows)
      const last = rows.at(-1)
      if (last === undefined) return
      this.#next = last.seq + 1
      this.#page = rows.filter(({ namespace }) => namespace === this.#namespace)
    }
  }
}

function bundled({ json, leafHash: stored }: RecordRow): BundledRecord {
  const text = json.replaceAll(/[\r\n]/g, ' ')
  return { text, leaf: text === '' ? Buffer.from(stored, 'hex') : leafHash(text) }
}
