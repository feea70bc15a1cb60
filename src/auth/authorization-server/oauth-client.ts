import type { JsonObject } from '../../kernel/index.ts'

/** A client as the authorization server knows it. */
export interface OAuthClient {
  readonly id: string
  /** What it calls itself. Only an operator's clients and agents' own have a name that somebody checked. */
  readonly name: string
  readonly source: 'agent' | 'operator' | 'document' | 'registration'
  /** Host of the document that describes it: its owner alone can have put that there. `null` for the others. */
  readonly host: string | null
  /** Client metadata (RFC 7591 section 2) for oidc-provider. `client_secret` is a SHA-256. */
  readonly metadata: JsonObject
}

/** Where clients are looked up. */
export interface ClientDirectory {
  /** `null` where there is none that is good at this moment. Never throws for what a stranger names. */
  find(id: string): Promise<OAuthClient | null>
}
