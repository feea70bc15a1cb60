import { randomFillSync } from 'node:crypto'

/**
 * A UUID version 7 (RFC 9562 section 5.7): 48 bits of Unix milliseconds, 74 random bits.
 * Sorts by time to the millisecond; within one millisecond the order is random.
 */
export function uuidv7(nowMs: number): string {
  const bytes = randomFillSync(Buffer.allocUnsafe(16))
  bytes.writeUIntBE(nowMs, 0, 6)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
