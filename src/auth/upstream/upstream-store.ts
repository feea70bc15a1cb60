/** How requests to a server are authenticated. */
export type UpstreamMethod = 'oauth' | 'client-credentials' | 'header'

/** A third-party server that a namespace is bound to, as stored. Holds no secret. */
export interface StoredUpstream {
  readonly namespace: string
  readonly name: string
  /** The server's URL, which is its resource identifier too. Its origin is the only one that gets the credential. */
  readonly url: string
  readonly method: UpstreamMethod
  /** Whose credentials are used: one of the namespace, or each user's own. */
  readonly owner: 'namespace' | 'user'
  /** Authorization server that has to be the one; `null` to take the one that the server names. */
  readonly issuer: string | null
  /** Client id that we have at the authorization server; `null` until we have one. */
  readonly clientId: string | null
  readonly scopes: readonly string[]
  /** Header that carries the credential, lower case, and what stands before it: `authorization`, `Bearer `. */
  readonly header: string
  readonly prefix: string
  readonly createdAtMs: number
  readonly createdBy: string
}

/** What a sealed secret is: that of our client there, tokens, or the value of a header. */
export type SecretKind = 'client' | 'tokens' | 'header'

/** Which secret. */
export interface SecretName {
  readonly namespace: string
  readonly server: string
  /** User id, or empty for the namespace. */
  readonly ownerId: string
  readonly kind: SecretKind
}

/** A sealed secret, as stored. */
export interface StoredSecret extends SecretName {
  /** Counts the changes, from 1. */
  readonly version: number
  /** Epoch of the data key. */
  readonly epoch: number
  readonly sealed: Uint8Array
  /** `needs-consent` once the authorization server refused to go on: a person must connect again. */
  readonly status: 'connected' | 'needs-consent'
  /** Of the access token; `null` where it does not expire or there is none. */
  readonly expiresAtMs: number | null
  /** When a refresh was begun whose end is not known; `null` where none is under way. */
  readonly refreshingSinceMs: number | null
  /** Refreshes that failed in a row, and before when none is tried again. */
  readonly failures: number
  readonly retryAtMs: number | null
  readonly changedAtMs: number
}

/** A data key of a namespace, as stored. */
export interface StoredDataKey {
  readonly namespace: string
  /** Counts the keys of the namespace, from 1. The highest seals. */
  readonly epoch: number
  readonly wrappingKeyId: string
  readonly wrapped: Uint8Array
  readonly createdAtMs: number
}

/** What changes of a secret without a new value. */
export type SecretChange = Partial<Pick<StoredSecret, 'status' | 'refreshingSinceMs' | 'failures' | 'retryAtMs'>>

/** Where upstream servers, their sealed secrets and the data keys are kept. Every write is durable when it resolves. */
export interface UpstreamStore {
  listServers(namespace: string): Promise<StoredUpstream[]>
  findServer(namespace: string, name: string): Promise<StoredUpstream | null>
  /** @throws McpworksError `already_exists` */
  insertServer(server: StoredUpstream): Promise<void>
  setClientId(namespace: string, name: string, clientId: string): Promise<void>
  /** Removes the server with all its secrets. Does nothing where it is not there. */
  removeServer(namespace: string, name: string): Promise<void>

  findSecret(name: SecretName): Promise<StoredSecret | null>
  listSecrets(namespace: string, server: string | null): Promise<StoredSecret[]>
  /** Tokens in every namespace that expire before then, are connected and may be tried again. */
  listDue(expireBeforeMs: number, nowMs: number): Promise<StoredSecret[]>
  /** Stores the secret where the one that is stored has version `expected` (0: none is). `false` where it has not. */
  putSecret(secret: StoredSecret, expected: number): Promise<boolean>
  /** Changes what is named where the secret still has that version. `false` where it has not. */
  changeSecret(name: SecretName, version: number, change: SecretChange): Promise<boolean>
  /** `false` where there was none. */
  removeSecret(name: SecretName): Promise<boolean>

  /** In order of epochs. */
  listKeys(namespace: string): Promise<StoredDataKey[]>
  listAllKeys(): Promise<StoredDataKey[]>
  /** @throws McpworksError `already_exists` where the namespace has that epoch. */
  insertKey(key: StoredDataKey): Promise<void>
  replaceWrapping(key: StoredDataKey): Promise<void>
  removeKey(namespace: string, epoch: number): Promise<void>
}
