import { hash } from 'node:crypto'
import type { MasterKey } from '../master-key.ts'

/** A data key under the key that it is wrapped with. */
export interface WrappedKey {
  /** Names the wrapping key, and tells nothing of it. */
  readonly wrappingKeyId: string
  readonly wrapped: Uint8Array
}

/**
 * The port to whatever holds the master key: the data directory, or a key management service elsewhere. Wraps and
 * unwraps data keys of 32 bytes. `purpose` is authenticated: a wrapped key opens for nothing else.
 */
export interface KeyManagementService {
  /** @throws McpworksError `storage_unavailable` where the service does not answer. */
  wrap(purpose: string, key: Uint8Array): Promise<WrappedKey>
  /** @throws McpworksError `storage_unavailable` where the key was wrapped otherwise or changed, or no answer comes. */
  unwrap(purpose: string, key: WrappedKey): Promise<Uint8Array>
  /** Id of the key that wraps at this moment. What is wrapped under another one stays so until it is wrapped anew. */
  currentKeyId(): Promise<string>
}

/** The master key of this process as such a service. */
export function createLocalKeyManagement(masterKey: MasterKey): KeyManagementService {
  const id = `local-${hash('sha256', masterKey.derive('key id'), 'hex').slice(0, 16)}`
  return {
    wrap: async (purpose, key) => ({ wrappingKeyId: id, wrapped: masterKey.seal(purpose, key) }),
    unwrap: async (purpose, { wrapped }) => masterKey.open(purpose, wrapped),
    currentKeyId: async () => id,
  }
}
