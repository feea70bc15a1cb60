import type { JsonObject } from '../../kernel/index.ts'

/** Algorithms that access tokens are signed by (RFC 7518 section 3.1, RFC 8037). */
export type SigningAlgorithm = 'ES256' | 'EdDSA'

/** A key that signs access tokens, as stored. */
export interface StoredSigningKey {
  /** Its JWK thumbprint (RFC 7638). */
  readonly kid: string
  readonly algorithm: SigningAlgorithm
  readonly publicJwk: JsonObject
  /** The private JWK, sealed under the master key. */
  readonly sealedPrivate: Uint8Array
  readonly createdAtMs: number
  /** Since when it signs nothing more; it is published until the last token that it signed has expired. */
  readonly retiredAtMs: number | null
}

/** Where signing keys are kept. Every write is durable when its promise resolves. */
export interface SigningKeyStore {
  load(): Promise<StoredSigningKey[]>
  /** @throws McpworksError `already_exists` */
  insert(key: StoredSigningKey): Promise<void>
  retire(kid: string, atMs: number): Promise<void>
  remove(kid: string): Promise<void>
}
