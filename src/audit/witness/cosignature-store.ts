import type { Cosignature } from './cosignature.ts'

/** A cosignature of a checkpoint of this log. */
export interface StoredCosignature extends Cosignature {
  readonly namespace: string
  readonly period: string
  /** Of the checkpoint. */
  readonly size: number
}

/** Keeps cosignatures. They prove themselves: what keeps them is not believed. */
export interface CosignatureStore {
  /** Keeps one, and of its witness and tree the newest sixteen. Durable when it resolves. */
  add(cosignature: StoredCosignature): Promise<void>
  /** All of a tree, those of the largest size first. */
  list(namespace: string, period: string): Promise<StoredCosignature[]>
}

/** The note of a checkpoint with the cosignatures of it that are kept, behind the log's own signatures. */
export function cosignedNote(
  { size, note }: { readonly size: number; readonly note: string },
  kept: readonly StoredCosignature[],
): string {
  const lines = kept.filter((cosignature) => cosignature.size === size).map(({ line }) => line)
  return `${note}${lines.toSorted().join('')}`
}
