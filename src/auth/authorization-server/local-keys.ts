import type { KeyObject } from 'node:crypto'
import type { SigningAlgorithm } from './signing-key-store.ts'

/** What a verifier in this process needs for access tokens of the embedded authorization server, without HTTP. */
export interface LocalKeys {
  /** The published key of that id, retired ones included while tokens signed by them can be alive; `null` otherwise. */
  find(kid: string): { readonly algorithm: SigningAlgorithm; readonly publicKey: KeyObject } | null
  /** Whether the token of that `jti` was revoked (RFC 7009) before it expired. */
  isRevoked(tokenId: string): boolean
}
