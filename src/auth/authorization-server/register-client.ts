import { isJsonObject, McpworksError, type JsonObject, type JsonValue } from '../../kernel/index.ts'
import type { IdentityEvents } from '../identity-events.ts'
import { readClientName } from './client-name.ts'
import type { AuthorizationServerConfig } from './config.ts'
import type { OAuthClients } from './oauth-clients.ts'
import { redirectUriProblem } from './redirect-uri.ts'

/** The registered client (RFC 7591 section 3.2.1), or what was wrong (section 3.2.2). */
export type RegistrationOutcome =
  | { readonly ok: true; readonly client: JsonObject }
  | {
      readonly ok: false
      readonly error: 'invalid_redirect_uri' | 'invalid_client_metadata' | 'temporarily_unavailable'
      readonly description: string
    }

/** What registration stands on. */
export interface RegistrationParts {
  readonly config: Pick<AuthorizationServerConfig, 'registration' | 'registrationMaxClients' | 'registrationDays'>
  readonly clients: OAuthClients
  readonly events: Pick<IdentityEvents, 'record'>
  readonly nowMs: number
  readonly address: string
}

/**
 * Registers a client on its own word (RFC 7591): always a public one, for codes and refresh tokens, with at most ten
 * redirect URIs, for a bounded time, among a bounded number. Nothing of it is verified, and people are told so.
 * @throws McpworksError `audit_unavailable`; then it is not registered
 */
export async function registerClient(metadata: JsonObject, parts: RegistrationParts): Promise<RegistrationOutcome> {
  const { config, clients, events, nowMs, address } = parts
  const redirects = metadata.redirect_uris
  if (!isTexts(redirects) || redirects.length === 0 || redirects.length > 10)
    return { ok: false, error: 'invalid_redirect_uri', description: 'redirect_uris must be 1-10 URIs' }
  const problem = redirects.map((uri) => problemOf(uri, config.registration)).find((text) => text !== null)
  if (problem !== undefined)
    return { ok: false, error: 'invalid_redirect_uri', description: `a redirect URI ${problem}` }
  if ('jwks' in metadata || 'jwks_uri' in metadata || 'software_statement' in metadata)
    return { ok: false, error: 'invalid_client_metadata', description: 'only public clients register themselves here' }
  const registered = clients.list().filter(({ source }) => source === 'registration')
  if (registered.length >= config.registrationMaxClients)
    return { ok: false, error: 'temporarily_unavailable', description: 'too many clients have registered themselves' }
  const expiresAtMs = nowMs + config.registrationDays * 86_400_000
  const client = await clients.add({
    source: 'registration',
    name: readClientName(metadata.client_name) ?? 'An application',
    metadata: { redirect_uris: redirects },
    createdBy: address,
    expiresAtMs,
  })
  try {
    await events.record({
      type: 'client-registered',
      namespace: null,
      principalId: null,
      credentialId: null,
      address,
      facts: { client: client.id, name: client.name, redirects, expiresAtMs },
    })
  } catch (error) {
    await clients.remove(client.id)
    throw error instanceof McpworksError ? error : new McpworksError('audit_unavailable', { cause: error })
  }
  return {
    ok: true,
    client: {
      client_id: client.id,
      client_id_issued_at: Math.floor(client.createdAtMs / 1000),
      client_name: client.name,
      redirect_uris: redirects,
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
  }
}

function problemOf(uri: string, allowed: AuthorizationServerConfig['registration']): string | null {
  const problem = redirectUriProblem(uri, 'registration')
  if (problem !== null || allowed === 'open') return problem
  return uri.startsWith('http://') ? null : 'leaves this machine, which only clients that an operator adds may'
}

function isTexts(value: JsonValue | undefined): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

/** Reads what was posted; `null` where it is no JSON object. */
export function parseRegistration(body: Uint8Array): JsonObject | null {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
    return isJsonObject(value) ? value : null
  } catch {
    // What cannot be read registers nobody.
    return null
  }
}
