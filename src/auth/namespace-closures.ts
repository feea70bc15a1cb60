import type { Clock } from '../kernel/index.ts'

/** That a namespace, or the whole platform, was closed to agents. */
export interface NamespaceClosure {
  /** `null` for all of them. */
  readonly namespace: string | null
  readonly closedAtMs: number
  /** Principal id. */
  readonly closedBy: string
  /** In the words of whoever closed it. */
  readonly reason: string
}

/** Where closures are kept. Every write is durable when its promise resolves. */
export interface ClosureStore {
  load(): Promise<NamespaceClosure[]>
  /** The first closure of a namespace stands until it is removed. */
  insert(closure: NamespaceClosure): Promise<void>
  /** Does nothing where there is none. */
  remove(namespace: string | null): Promise<void>
}

/** The kill switches: one for each namespace and one for all. */
export interface NamespaceClosures {
  /** Whether agents of the namespace are refused, be it closed itself or the platform. Memory only, allocates nothing. */
  isClosed(namespace: string): boolean
  /** The closure of exactly this namespace, or of the platform where it is `null`. */
  find(namespace: string | null): NamespaceClosure | null
  /** Takes effect when the store has it. Where it is closed already the first closure stands and is returned. */
  close(namespace: string | null, by: string, reason: string): Promise<NamespaceClosure>
  /** Gives whether there was anything to open. Each closure is opened apart: opening all leaves single ones closed. */
  open(namespace: string | null): Promise<boolean>
  /** Calls back after each closing. Gives what ends that. */
  onClose(listener: () => void): () => void
}

/** Loads the closures, so that they outlive a restart, and answers from memory afterwards. */
export async function createNamespaceClosures(store: ClosureStore, clock: Clock): Promise<NamespaceClosures> {
  const closures = new Map<string | null, NamespaceClosure>()
  for (const closure of await store.load()) closures.set(closure.namespace, closure)
  const listeners = new Set<() => void>()
  return {
    isClosed: (namespace) => closures.has(namespace) || closures.has(null),
    find: (namespace) => closures.get(namespace) ?? null,
    async close(namespace, closedBy, reason) {
      const known = closures.get(namespace)
      if (known !== undefined) return known
      const closure = { namespace, closedAtMs: clock.nowMs(), closedBy, reason }
      await store.insert(closure)
      closures.set(namespace, closure)
      for (const listener of listeners) listener()
      return closure
    },
    async open(namespace) {
      if (!closures.has(namespace)) return false
      await store.remove(namespace)
      return closures.delete(namespace)
    },
    onClose(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
