import { hkdfSync } from 'node:crypto'
import type { MasterKey } from '../auth/index.ts'
import { unwrapKey, wrapKey } from './data-keys.ts'

/** The master key of a data directory, as those see it that may use but not have it. */
export function masterKeyOf(bytes: Uint8Array): MasterKey {
  return {
    seal: (purpose, plain) => wrapKey(bytes, `sealed ${purpose}`, plain),
    open: (purpose, sealed) => unwrapKey(bytes, `sealed ${purpose}`, sealed),
    derive: (purpose) => new Uint8Array(hkdfSync('sha256', bytes, '', `mcpworks derived ${purpose}`, 32)),
  }
}
