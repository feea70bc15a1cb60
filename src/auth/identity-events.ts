import type { ErrorCode, JsonObject } from '../kernel/index.ts'

/** Something that changed who may enter: a token issued, a session begun, a consent given. Holds no credential. */
export interface IdentityEvent {
  readonly type:
    | 'key-issued'
    | 'token-issued'
    | 'token-revoked'
    | 'consent-given'
    | 'client-registered'
    | 'session-begun'
    | 'session-ended'
    | 'factor-added'
    | 'factor-removed'
    | 'link-made'
    | 'user-added'
    | 'roles-changed'
    | 'agent-changed'
    | 'agent-disabled'
    | 'agent-enabled'
    | 'agent-revoked'
    | 'credential-revoked'
    | 'namespace-closed'
    | 'namespace-opened'
    | 'upstream-connected'
    | 'upstream-disconnected'
    | 'upstream-refresh-failed'
  /** Whose log it goes to; `null` for the platform's own. */
  readonly namespace: string | null
  readonly principalId: string | null
  /** Public id of the credential that was used or made. */
  readonly credentialId: string | null
  /** Remote address of the request; empty where there was none. */
  readonly address: string
  /** What else an auditor asks for: grant type, client, scopes, audience, key thumbprint, `act` chain. */
  readonly facts: JsonObject
}

/** A request for a token, session or consent that was refused. Holds nothing that a stranger can fill at will. */
export interface IdentityRefusal {
  readonly code: ErrorCode
  /** Pattern of the route. */
  readonly route: string
  readonly namespace: string | null
  readonly principalId: string | null
  readonly credentialId: string | null
  readonly address: string
  /** In our words. */
  readonly reason: string
}

/** Where identity is recorded. */
export interface IdentityEvents {
  /**
   * Resolves once the record is durable; what it tells of must not take effect before.
   * @throws McpworksError `audit_unavailable`
   */
  record(event: IdentityEvent): Promise<void>
  /** Counted with others of its kind and written later. Never throws. */
  refused(refusal: IdentityRefusal): void
}
