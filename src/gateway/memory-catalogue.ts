import { digestJson, type Digest } from '../kernel/index.ts'
import type { Catalogue, CatalogueEntry, EntryKind } from './catalogue.ts'
import { uriTemplatePattern } from './uri-template.ts'

const kinds: readonly EntryKind[] = ['tool', 'resource', 'resource-template', 'prompt']

interface NamespaceEntries {
  readonly byKind: Record<EntryKind, Map<string, CatalogueEntry>>
  /** Templates with their compiled patterns, in order of name. */
  templates: { pattern: RegExp; entry: CatalogueEntry }[]
  hash: Digest
}

/** The catalogue with the means to change it. */
export interface MutableCatalogue extends Catalogue {
  addNamespace(namespace: string): void
  /** Puts exactly these entries in place of whatever the service had. Names must be free in the namespace. */
  replaceService(namespace: string, service: string, entries: readonly CatalogueEntry[]): void
}

/** A catalogue in memory. Look-ups carry the namespace and never see another one's entries. */
export function createMemoryCatalogue(): MutableCatalogue {
  const namespaces = new Map<string, NamespaceEntries>()
  const listeners = new Set<(namespace: string, kind: EntryKind) => void>()

  function entriesOf(namespace: string): NamespaceEntries {
    let entries = namespaces.get(namespace)
    if (entries === undefined) {
      entries = {
        byKind: { tool: new Map(), resource: new Map(), 'resource-template': new Map(), prompt: new Map() },
        templates: [],
        hash: digestJson([]),
      }
      namespaces.set(namespace, entries)
    }
    return entries
  }

  return {
    addNamespace: (namespace) => void entriesOf(namespace),
    hasNamespace: (namespace) => namespaces.has(namespace),
    hash: (namespace) => namespaces.get(namespace)?.hash ?? digestJson([]),
    resolve(namespace, kind, name) {
      const entries = namespaces.get(namespace)
      if (entries === undefined) return null
      const exact = entries.byKind[kind].get(name)
      if (exact !== undefined) return exact
      if (kind !== 'resource') return null
      return entries.templates.find(({ pattern }) => pattern.test(name))?.entry ?? null
    },
    list: (namespace, kind) => [...(namespaces.get(namespace)?.byKind[kind].values() ?? [])],
    onChange(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    replaceService(namespace, service, replacement) {
      const entries = entriesOf(namespace)
      const changed = new Set<EntryKind>()
      for (const kind of kinds) {
        for (const [name, entry] of entries.byKind[kind]) {
          if (entry.service === service) {
            entries.byKind[kind].delete(name)
            changed.add(kind)
          }
        }
      }
      for (const entry of replacement) {
        entries.byKind[entry.kind].set(entry.name, entry)
        changed.add(entry.kind)
      }
      entries.templates = [...entries.byKind['resource-template'].values()]
        .sort((a, b) => (a.name < b.name ? -1 : 1))
        .map((entry) => ({ pattern: uriTemplatePattern(entry.name), entry }))
      // By kind and then by name, so that the order of additions does not matter.
      entries.hash = digestJson(
        kinds.map((kind) =>
          [...entries.byKind[kind].values()]
            .toSorted((a, b) => (a.name < b.name ? -1 : 1))
            .map((entry) => [entry.name, entry.definitionHash, entry.codeHash]),
        ),
      )
      for (const kind of changed) for (const listener of listeners) listener(namespace, kind)
    },
  }
}
