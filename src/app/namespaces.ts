import type { MutableCatalogue } from '../gateway/index.ts'
import { isName, McpworksError, type Clock } from '../kernel/index.ts'
import type { NamespaceStore } from '../storage/index.ts'

/** Where the records of operations go that belong to no tenant. No tenant can have the name. */
export const platformNamespace = 'platform'

/** The namespaces of this platform. */
export interface Namespaces {
  has(name: string): boolean
  list(): { name: string; createdAtMs: number; createdBy: string }[]
  /** Makes the namespace if it is not there. @throws McpworksError `name_invalid`, `already_exists` for `platform`. */
  ensure(name: string, by: string): Promise<void>
}

/** Loads the namespaces and makes them known to the catalogue. */
export async function createNamespaces(
  store: NamespaceStore,
  catalogue: MutableCatalogue,
  clock: Clock,
): Promise<Namespaces> {
  const known = new Map((await store.load()).map((namespace) => [namespace.name, namespace]))
  for (const name of known.keys()) catalogue.addNamespace(name)
  return {
    has: (name) => known.has(name),
    list: () => [...known.values()],
    async ensure(name, by) {
      if (known.has(name)) return
      if (!isName(name)) throw new McpworksError('name_invalid')
      if (name === platformNamespace)
        throw new McpworksError('already_exists', {
          message: `"${name}" is the platform's own namespace. Choose another name.`,
        })
      const namespace = { name, createdAtMs: clock.nowMs(), createdBy: by }
      await store.insert(namespace)
      known.set(name, namespace)
      catalogue.addNamespace(name)
    },
  }
}
