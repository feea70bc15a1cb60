/** The tree that a record begins. */
export interface BegunTree {
  readonly tree: number
  readonly period: string
}

/** A record that has no place in the order of all records yet. */
export interface WaitingRecord {
  readonly writer: number
  readonly position: number
  readonly log: number
  readonly index: number
  readonly timeMs: number
  readonly leaf: Uint8Array
  /** `null` for the first leaf of a log's first tree, too. */
  readonly begins: BegunTree | null
}

/** Records that one writer wrote one after the other, in the order of all records. */
export interface Stretch {
  readonly firstSeq: number
  readonly writer: number
  readonly firstPosition: number
  readonly records: number
}

/** The records in their order, as few stretches. */
export function joinStretches(
  ordered: readonly Pick<WaitingRecord, 'writer' | 'position'>[],
  firstSeq: number,
): Stretch[] {
  const stretches: Stretch[] = []
  for (const [at, { writer, position }] of ordered.entries()) {
    const last = stretches.at(-1)
    if (last !== undefined && last.writer === writer && last.firstPosition + last.records === position) {
      stretches[stretches.length - 1] = { ...last, records: last.records + 1 }
    } else {
      stretches.push({ firstSeq: firstSeq + at, writer, firstPosition: position, records: 1 })
    }
  }
  return stretches
}
