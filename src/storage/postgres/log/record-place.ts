import type { RandomBytes } from '../../../audit/index.ts'
import { recordId, seqOfRecordId } from '../../record-id.ts'

/** Writers are numbered from 1 up to this one. */
export const mostWriters = 0x3fff

/** Which record: what a writer wrote at a position. */
export interface RecordPlace {
  readonly writer: number
  readonly position: number
}

/**
 * A record's id as `recordId` makes it, with the writer's number in the 14 bits before the position: so that a record of
 * several writers, too, is found by its id without an index. 12 random bits are left. Not a secret.
 */
export function placedRecordId(timeMs: number, { writer, position }: RecordPlace, random: RandomBytes): string {
  const id = recordId(timeMs, position, random)
  return `${id.slice(0, 19)}${(0x8000 | writer).toString(16)}${id.slice(23)}`
}

/** The place that an id names, `null` where the text is no record's id. Does not say that there is a record with the id. */
export function placeOfRecordId(id: string): RecordPlace | null {
  const position = seqOfRecordId(id)
  return position < 0 ? null : { writer: Number.parseInt(id.slice(19, 23), 16) & mostWriters, position }
}
