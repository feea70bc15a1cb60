import { randomFillSync } from 'node:crypto'
import type { RandomBytes } from '../audit/index.ts'

const poolBytes = 4096

/**
 * A source of random bytes that asks the operating system's generator for 4 KiB at a time: one call costs as much for
 * 16 bytes as for thousands. What it gave is overwritten by nobody and given to nobody else.
 */
export function randomPool(): RandomBytes {
  let pool = Buffer.alloc(0)
  let used = 0
  return (target, at, count) => {
    if (used + count > pool.length) {
      pool = randomFillSync(Buffer.allocUnsafeSlow(Math.max(poolBytes, count)))
      used = 0
    }
    pool.copy(target, at, used, used + count)
    used += count
  }
}
