import type { Scope } from '../kernel/index.ts'

/** A principal as stored. Names of revoked principals are never given out again. */
export interface StoredPrincipal {
  readonly type: 'agent' | 'user'
  readonly id: string
  readonly name: string
  readonly namespace: string | null
  readonly groups: readonly string[]
  readonly createdAtMs: number
  readonly revokedAtMs: number | null
}

/** An API key as stored: the SHA-256 of its 256-bit secret, never the secret. */
export interface StoredKey {
  readonly id: string
  readonly principalId: string
  readonly label: string
  /** 64 lower-case hex digits. */
  readonly secretSha256: string
  readonly scopes: readonly Scope[]
  readonly createdAtMs: number
  readonly expiresAtMs: number | null
  readonly revokedAtMs: number | null
}

/** Where principals and keys are kept. Every write is durable when its promise resolves. */
export interface CredentialStore {
  load(): Promise<{ principals: StoredPrincipal[]; keys: StoredKey[] }>
  /** @throws McpworksError `already_exists` where the id was ever used. */
  insertPrincipal(principal: StoredPrincipal): Promise<void>
  updatePrincipal(id: string, change: { groups?: readonly string[]; revokedAtMs?: number }): Promise<void>
  insertKey(key: StoredKey): Promise<void>
  revokeKey(id: string, atMs: number): Promise<void>
}
