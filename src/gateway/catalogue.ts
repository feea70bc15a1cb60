import type { Digest, JsonObject } from '../kernel/index.ts'
import type { Backend } from './backend.ts'

/** Kinds of things that agents can see. */
export type EntryKind = 'tool' | 'resource' | 'resource-template' | 'prompt'

/** One thing that agents can see, with its pinned definition. */
export interface CatalogueEntry {
  readonly kind: EntryKind
  readonly namespace: string
  readonly service: string
  /** Tool or prompt name, resource URI, or URI template. Unique per kind and namespace. */
  readonly name: string
  /** What agents read: the MCP `Tool`, `Resource`, `ResourceTemplate` or `Prompt` object. */
  readonly definition: JsonObject
  /** SHA-256 over the RFC 8785 form of `definition`. */
  readonly definitionHash: Digest
  /** JSON Schema of the arguments; `null` for resources and templates. */
  readonly inputSchema: JsonObject | null
  readonly outputSchema: JsonObject | null
  readonly codeHash: Digest | null
  /** For the decision record; `null` where nothing runs in a sandbox. */
  readonly runtime: string | null
  /** Names of the tools that its code may call on behalf of the caller. None where it is left out. */
  readonly calls?: readonly string[]
  /** Labels that a run has once a call of it was allowed. None where it is left out. */
  readonly labels?: readonly string[]
  readonly backend: Backend
}

/** Where entries are looked up. Every look-up carries the namespace. */
export interface Catalogue {
  /** For `read`, a URI matches a resource first, then a template. */
  resolve(namespace: string, kind: EntryKind, name: string): CatalogueEntry | null
  list(namespace: string, kind: EntryKind): readonly CatalogueEntry[]
  /** Changes whenever any definition in the namespace does. */
  hash(namespace: string): Digest
  hasNamespace(namespace: string): boolean
  /** Calls back after each change of a namespace's entries; returns the way to stop. */
  onChange(listener: (namespace: string, kind: EntryKind) => void): () => void
}
