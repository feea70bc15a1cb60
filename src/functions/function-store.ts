import type { Digest } from '../kernel/index.ts'
import type { FunctionVersion } from './function-version.ts'

/** Where function versions are kept. Versions are only ever added; "active" is a pointer. */
export interface FunctionStore {
  /** Every function's active version, in all namespaces. */
  loadActive(): Promise<FunctionVersion[]>
  /** Adds the versions that are new and makes all given ones active, in one transaction. */
  activate(versions: readonly FunctionVersion[]): Promise<void>
  /** Takes a function out of the catalogue; its versions stay. Returns false where there was none. */
  deactivate(namespace: string, service: string, name: string): Promise<boolean>
  /** A version by its hash, whether it is active or not; `null` where there is none. */
  findVersion(namespace: string, service: string, name: string, versionHash: Digest): Promise<FunctionVersion | null>
  /** Hashes, newest first, with when and by whom. */
  listVersions(
    namespace: string,
    service: string,
    name: string,
  ): Promise<{ versionHash: Digest; createdAtMs: number; createdBy: string; active: boolean }[]>
}
