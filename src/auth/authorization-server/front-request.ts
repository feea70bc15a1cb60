import type { Provider } from 'oidc-provider'

/** What oidc-provider is called with: a request of `node:http`. */
export type LibraryRequest = Parameters<ReturnType<Provider['callback']>>[0]

/** The answer of `node:http` that it writes. */
export type LibraryResponse = Parameters<ReturnType<Provider['callback']>>[1]

/** A request to an endpoint of the authorization server, read and bounded. */
export interface FrontRequest {
  readonly method: 'GET' | 'POST'
  /** As sent, without query. */
  readonly path: string
  /** Without `?`, as sent. */
  readonly query: string
  readonly cookie: string | undefined
  readonly authorization: string | undefined
  readonly dpop: string | undefined
  readonly contentType: string | undefined
  readonly accept: string | undefined
  /** Empty for GET. */
  readonly body: Buffer
  /** Of the client, as far as trusted proxies tell. */
  readonly address: string
  /** SHA-256 in base64url of the client's certificate, where TLS ends here and it sent one. */
  readonly certificateSha256: string | null
}
