import type { TreeReader } from '../audit-reader.ts'
import type { RecordProof } from '../decision-log.ts'
import { proveInclusion } from '../prove-consistency.ts'
import { cosignedNote, type CosignatureStore, type StoredCosignature } from './cosignature-store.ts'

/**
 * The proof under the checkpoint that most witnesses cosigned, the newest of those, with their cosignatures; as it is
 * where no checkpoint over the record is cosigned yet.
 */
export async function proveCosigned(
  proof: RecordProof,
  reader: Pick<TreeReader, 'newestCheckpoint' | 'hashes'>,
  cosignatures: Pick<CosignatureStore, 'list'>,
): Promise<RecordProof> {
  const { namespace, period, leafIndex } = proof
  const kept = await cosignatures.list(namespace, period)
  const size = mostCosigned(kept.filter((cosignature) => cosignature.size > leafIndex))
  const row = size === null ? null : await reader.newestCheckpoint(namespace, period, size)
  if (size === null || row?.size !== size) return proof
  const inclusion = await proveInclusion(reader, { namespace, period }, leafIndex, size)
  return {
    ...proof,
    checkpoint: { size, note: cosignedNote(row, kept) },
    inclusion: inclusion.map((hash) => Buffer.from(hash).toString('base64')),
  }
}

function mostCosigned(kept: readonly StoredCosignature[]): number | null {
  const counts = [...Map.groupBy(kept, ({ size }) => size)].map(([size, of]) => ({
    size,
    witnesses: new Set(of.map(({ witness }) => witness)).size,
  }))
  const [best] = counts.toSorted((one, other) => other.witnesses - one.witnesses || other.size - one.size)
  return best?.size ?? null
}
