/** How a person proved who they are when a session began. */
export type SignInMethod = 'passkey' | 'password' | 'oidc'

/** A session of a person in a browser, as stored: the SHA-256 of its 256-bit token, never the token. */
export interface StoredSession {
  /** 12 of a-z and 0-9. Names the session and proves nothing. */
  readonly id: string
  /** 64 lower-case hex digits. */
  readonly tokenSha256: string
  readonly userId: string
  readonly method: SignInMethod
  /** When the person proved who they are: a session never outlives that by more than its limit. */
  readonly beganAtMs: number
  readonly expiresAtMs: number
  /** To about a minute. */
  readonly lastUsedAtMs: number
  readonly endedAtMs: number | null
  /** Where it was begun from. */
  readonly address: string
  /** What the browser called itself then, at most 200 characters. Unverified. */
  readonly claimedName: string | null
}

/** Where sessions are kept. Every write is durable when its promise resolves. */
export interface SessionStore {
  /** Sessions that were not ended and whose limit is after `nowMs`. */
  loadActive(nowMs: number): Promise<StoredSession[]>
  /** @throws McpworksError `already_exists` where the id or the token was ever used. */
  insert(session: StoredSession): Promise<void>
  /** @throws McpworksError `unknown_object` */
  touch(id: string, lastUsedAtMs: number): Promise<void>
  /** A first end stands. @throws McpworksError `unknown_object` */
  end(id: string, atMs: number): Promise<void>
  /** Forgets sessions whose limit was before `beforeMs`, ended or not: they are in the decision log. */
  forget(beforeMs: number): Promise<void>
}
