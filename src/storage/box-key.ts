import type { BodiesRow } from '../audit/index.ts'
import type { DataKeyRow, OpenedDataKeys } from './opened-data-keys.ts'

/**
 * What opens the boxes that a data key sealed, from the key's row: `undefined` where there is none. `keys` is `null` where
 * the master key is not at hand.
 */
export function boxKey(row: DataKeyRow | undefined, keys: OpenedDataKeys | null): BodiesRow['key'] {
  if (row === undefined || row.wrapped === null) return 'erased'
  if (keys === null) return 'unopened'
  try {
    return keys.open(row) ?? 'damaged'
  } catch {
    // Reported by the verifier as damage of every body under this key.
    return 'damaged'
  }
}
