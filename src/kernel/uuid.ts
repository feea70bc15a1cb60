import { randomUUID } from 'node:crypto'

/**
 * A UUID version 7 (RFC 9562 section 5.7): 48 bits of Unix milliseconds, 74 random bits.
 * Sorts by time to the millisecond; within one millisecond the order is random.
 */
export function uuidv7(nowMs: number): string {
  const time = nowMs.toString(16).padStart(12, '0')
  // The random and variant bits of a version 4 UUID: the runtime keeps a stock of those, which a draw of our own has not.
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`
}
