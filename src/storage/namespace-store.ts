/** A namespace as stored. */
export interface StoredNamespace {
  readonly name: string
  readonly createdAtMs: number
  /** Principal id. */
  readonly createdBy: string
}

/** Where namespaces are kept. They are never removed, because their records are not. */
export interface NamespaceStore {
  /** Sorted by name. */
  load(): Promise<StoredNamespace[]>
  /** @throws McpworksError `already_exists` */
  insert(namespace: StoredNamespace): Promise<void>
}
