import { onTestFinished } from 'vitest'
import { LogTree, type CosignatureStore, type StoredCosignature, type TreeReader } from '../../src/audit/index.ts'
import { createGuardedFetch } from '../../src/egress/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import {
  openPublishing,
  publishingConfigSchema,
  type LogConflict,
  type PartState,
  type Publishing,
} from '../../src/publishing/index.ts'
import { MemoryTrees, originOf } from './memory-trees.ts'
import { ObjectStore } from './object-store.ts'
import { WitnessServer } from './witness-server.ts'

/** Cosignatures that are kept as long as this object is. */
export function memoryCosignatures(): CosignatureStore {
  const kept: StoredCosignature[] = []
  return {
    add: async (cosignature) => void kept.push(cosignature),
    list: async (namespace, period) =>
      kept
        .filter((one) => one.namespace === namespace && one.period === period)
        .toSorted((one, other) => other.size - one.size),
  }
}

/** Publishing that a test looks into. */
export interface Opened extends Publishing {
  readonly conflicts: LogConflict[]
  readonly changes: PartState[]
  state(name: string): PartState | undefined
}

/** Publishing of the trees, which looks when it is told to. */
export function publish(
  reader: TreeReader,
  config: Record<string, unknown>,
  shared: { positions?: Map<string, string>; cosignatures?: CosignatureStore } = {},
): Opened {
  const conflicts: LogConflict[] = []
  const changes: PartState[] = []
  const positions = shared.positions ?? new Map<string, string>()
  const publishing = openPublishing({
    config: publishingConfigSchema.parse({ everySeconds: 86_400, networks: ['127.0.0.0/8'], ...config }),
    reader,
    positions: {
      find: async (name) => positions.get(name) ?? null,
      keep: async (name, at) => void positions.set(name, at),
    },
    cosignatures: shared.cosignatures ?? memoryCosignatures(),
    fetch: createGuardedFetch(),
    clock: systemClock,
    pausesMs: { first: 0, longest: 0 },
    alarm: async (conflict) => void conflicts.push(conflict),
    onChange: (state) => changes.push(state),
    onFailure(error) {
      throw error
    },
  })
  onTestFinished(() => publishing.close())
  return { ...publishing, conflicts, changes, state: (name) => publishing.states().find((one) => one.name === name) }
}

/** An object store of its own for the running test, and how publishing is told of it. */
export async function objectStore(): Promise<{ store: ObjectStore; config: Record<string, unknown> }> {
  const store = new ObjectStore()
  const endpoint = await store.listen()
  onTestFinished(() => store.close())
  const { bucket, region, accessKeyId, secretAccessKey } = store
  return { store, config: { endpoint, bucket, region, prefix: 'log/', accessKeyId, secretAccessKey } }
}

/** A witness of its own for the running test, and how publishing is told of it. */
export async function witness(
  name: string,
  trees: MemoryTrees,
  namespaces: readonly string[] = ['demo'],
  algorithm: 'ed25519' | 'ml-dsa-44' = 'ed25519',
): Promise<{ server: WitnessServer; config: { name: string; url: string; key: string } }> {
  const logs = new Map(namespaces.map((namespace) => [originOf(namespace), [trees.rawKey]]))
  const server = new WitnessServer(name, logs, algorithm)
  const url = await server.listen()
  onTestFinished(() => server.close())
  return { server, config: { name: 'tower', url, key: server.keyLine } }
}

/** The root that the published tiles of a tree come to. */
export function rootOfTiles(read: (path: string) => Uint8Array, size: number): string {
  const tree = new LogTree()
  for (let index = 0; tree.size < size; index++) {
    const width = Math.min(256, size - tree.size)
    const tile = read(`tile/0/${String(index).padStart(3, '0')}${width === 256 ? '' : `.p/${width}`}`)
    for (let at = 0; at < width; at++) tree.append(tile.subarray(at * 32, (at + 1) * 32))
  }
  return Buffer.from(tree.root()).toString('base64')
}

/** The root that a checkpoint names. */
export const rootOfNote = (note: string): string => note.split('\n')[2] ?? ''

/** The trees of another server: a namespace with so many records that nobody else has. */
export function withLog(namespace: string, size: number): MemoryTrees {
  const trees = new MemoryTrees()
  trees.grow(namespace, size, 'another log')
  return trees
}
