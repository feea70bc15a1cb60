import type { BoundCredential, GuardedFetch, TargetCheck } from '../../egress/index.ts'
import { McpworksError, type Clock } from '../../kernel/index.ts'
import type { IdentityEvents } from '../identity-events.ts'
import type { UpstreamConfig } from './config.ts'
import { discoverUpstream, type AuthorizationServer } from './discover-upstream.ts'
import { createUpstreamOAuth, type TokenOutcome, type UpstreamOAuth } from './upstream-client.ts'
import type { SecretKind, SecretName, StoredUpstream, UpstreamStore } from './upstream-store.ts'
import { writeTokens } from './upstream-tokens.ts'
import type { UpstreamVault } from './upstream-vault.ts'

/** What upstream connections stand on. */
export interface UpstreamPorts {
  readonly store: UpstreamStore
  readonly vault: UpstreamVault
  readonly fetch: GuardedFetch
  readonly checkTarget: TargetCheck
  readonly events: Pick<IdentityEvents, 'record'>
  readonly clock: Clock
  readonly config: UpstreamConfig
}

/** Who does something, for the record. */
export interface Doer {
  readonly principalId: string
  readonly address: string
}

/** The credential, or why there is none. */
export type CredentialOutcome =
  | { readonly ok: true; readonly credential: BoundCredential }
  | {
      readonly ok: false
      readonly reason: 'unknown-server' | 'not-connected' | 'needs-consent' | 'unavailable'
      /** In our words. */
      readonly detail: string
    }

/** What the parts of upstream connections have in common. */
export interface UpstreamParts extends UpstreamPorts {
  /** @throws McpworksError `unknown_object` */
  mustFind(namespace: string, name: string): Promise<StoredUpstream>
  /** The value of a secret; `null` where there is none. */
  openSecret(name: SecretName): Promise<string | null>
  /** Seals a value in place of whatever is there. @throws McpworksError `storage_unavailable` where others are quicker */
  replaceSecret(name: SecretName, value: string, expiresAtMs: number | null): Promise<void>
  /** Our client at the authorization server that the server trusts now, which has to be `issuer` where one is given. */
  oauthOf(server: StoredUpstream, issuer: string | null): Promise<OAuthOutcome>
}

/** Our client there, or why there is none. */
export type OAuthOutcome =
  | { readonly ok: true; readonly oauth: UpstreamOAuth; readonly at: AuthorizationServer; readonly resource: string }
  | { readonly ok: false; readonly refused: boolean; readonly reason: string }

/** Makes the parts. */
export function createUpstreamParts(ports: UpstreamPorts): UpstreamParts {
  const { store, vault, fetch, checkTarget, config } = ports
  const allow = { networks: config.networks }

  async function openSecret(name: SecretName): Promise<string | null> {
    const secret = await vault.find(name)
    return secret === null ? null : vault.open(secret)
  }

  return {
    ...ports,
    openSecret,
    async mustFind(namespace, name) {
      const server = await store.findServer(namespace, name)
      if (server !== null) return server
      throw new McpworksError('unknown_object', { message: `There is no upstream server ${namespace}/${name}.` })
    },
    async replaceSecret(name, value, expiresAtMs) {
      const before = await vault.find(name)
      if (await vault.put(name, value, { expiresAtMs }, before?.version ?? 0)) return
      throw new McpworksError('storage_unavailable', {
        message: 'The secret was changed by somebody else at the same moment. Try again.',
      })
    },
    async oauthOf(server, issuer) {
      const found = await discoverUpstream(server.url, issuer ?? server.issuer, { fetch, checkTarget, allow })
      if (!found.ok) return { ok: false, refused: false, reason: found.problem }
      if (server.clientId === null) return { ok: false, refused: true, reason: 'there is no client id' }
      const secret = await openSecret(secretName(server, '', 'client'))
      const client = { clientId: server.clientId, secret }
      const oauth = createUpstreamOAuth(found.server, client, { fetch, allow })
      return { ok: true, oauth, at: found.server, resource: found.resource }
    },
  }
}

/** Name of a secret of a server. */
export function secretName({ namespace, name }: StoredUpstream, ownerId: string, kind: SecretKind): SecretName {
  return { namespace, server: name, ownerId, kind }
}

/** What is sealed of tokens that came. A refresh without a new refresh token keeps the old one (RFC 6749 section 6). */
export function sealable(
  outcome: Extract<TokenOutcome, { ok: true }>,
  from: { readonly issuer: string; readonly resource: string; readonly refreshToken: string | null },
  nowMs: number,
): { readonly value: string; readonly expiresAtMs: number | null } {
  const { issuer, resource } = from
  const refreshToken = outcome.refreshToken ?? from.refreshToken
  const { accessToken, expiresInSeconds } = outcome
  return {
    value: writeTokens({ accessToken, refreshToken, issuer, resource }),
    expiresAtMs: expiresInSeconds === null ? null : nowMs + expiresInSeconds * 1000,
  }
}
