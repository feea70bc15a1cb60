import type { RandomBytes } from '../audit/index.ts'

/**
 * A record's id: a UUID version 7 (RFC 9562 section 5.7) whose last 48 bits are the record's place in all that the
 * writer wrote. So a record is found by its id without an index, which every append would have to pay for.
 * Unique within one writer; 26 random bits and the time keep two writers apart. Not a secret.
 */
export function recordId(timeMs: number, seq: number, random: RandomBytes): string {
  const bytes = Buffer.allocUnsafe(16)
  bytes.writeUIntBE(timeMs, 0, 6)
  random(bytes, 6, 4)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  bytes.writeUIntBE(seq, 10, 6)
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** The place that an id names, -1 where the text is no record's id. Does not say that there is a record with the id. */
export function seqOfRecordId(id: string): number {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id)
    ? Number.parseInt(id.slice(24), 16)
    : -1
}
