/**
 * What can be done with the master key without ever seeing it. `purpose` is authenticated: what was sealed for one
 * purpose opens for no other, and secrets derived for different purposes tell nothing of each other.
 */
export interface MasterKey {
  /** AES-256-GCM under a key derived from the master key, nonce and tag included. */
  seal(purpose: string, plain: Uint8Array): Uint8Array
  /** @throws McpworksError `storage_unavailable` where it was sealed otherwise, or changed. */
  open(purpose: string, sealed: Uint8Array): Uint8Array
  /** 32 bytes, the same at every start (HKDF-SHA-256, RFC 5869). */
  derive(purpose: string): Uint8Array
}
