import type { JsonObject } from '../../kernel/index.ts'
import type { FrontRequest, LibraryResponse } from './front-request.ts'
import type { IssueAccessToken } from './issue-access-token.ts'
import type { LocalKeys } from './local-keys.ts'
import type { OAuthClient } from './oauth-client.ts'
import type { OAuthClients } from './oauth-clients.ts'
import type { RegistrationOutcome } from './register-client.ts'
import type { SigningKeys } from './signing-keys.ts'

/** The embedded authorization server. */
export interface AuthorizationServer {
  readonly keys: LocalKeys & Pick<SigningKeys, 'rotate'>
  readonly clients: OAuthClients
  /** The server at its public URL, which is known once it listens. The first call decides. */
  at(publicUrl: string): AuthorizationServerSite
  /** Forgets what has expired and rotates keys that are old. Called from time to time. */
  tend(): Promise<void>
}

/** The authorization server under its one issuer identifier. */
export interface AuthorizationServerSite {
  readonly issuer: string
  /** Where browsers are to meet it. */
  readonly browserOrigin: string
  metadata(): JsonObject
  publicKeys(): JsonObject
  readonly issue: IssueAccessToken
  /** Serves an endpoint of oidc-provider: authorization, resumption, token, revocation, PAR. Answers exactly once. */
  serve(request: FrontRequest, response: LibraryResponse): Promise<void>
  /** What a client asks a person for, in the browser that asked; `null` where it expired or is another browser's. */
  findQuestion(request: FrontRequest, response: LibraryResponse, id: string): Promise<ConsentQuestion | null>
  /** Ends it and sends the browser on. The grant was made before. */
  answerQuestion(request: FrontRequest, response: LibraryResponse, answer: ConsentAnswer): Promise<void>
  /** A client registers itself; `null` where that is off. @throws McpworksError `audit_unavailable` */
  register(request: FrontRequest): Promise<RegistrationOutcome | null>
  /** Lets a client act as an agent, on a person's word. @throws McpworksError `audit_unavailable` */
  grant(consent: Consent): Promise<{ readonly grantId: string }>
}

/** What a client wants. All of it was checked but the name. */
export interface ConsentQuestion {
  readonly id: string
  readonly client: OAuthClient
  readonly redirectUri: string
  readonly resource: string
  readonly namespace: string
  /** Whether the client asked that the person be asked. */
  readonly mustAsk: boolean
}

/** What the person said. */
export type ConsentAnswer =
  | { readonly agreed: true; readonly userId: string; readonly grantId: string }
  | { readonly agreed: false }

/** A consent to be recorded and put into force. */
export interface Consent {
  readonly question: ConsentQuestion
  readonly userId: string
  /** Public id of the person's session. */
  readonly sessionId: string
  readonly agentId: string
  readonly seconds: number
  readonly address: string
  /** Whether the person was asked, or an earlier answer of theirs was found. */
  readonly asked: boolean
}
