export type { NamespaceStore, StoredNamespace } from './namespace-store.ts'
export { openStorage, type Storage, type StorageOptions } from './open-storage.ts'
