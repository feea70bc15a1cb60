import type { EventEmitter } from 'node:events'
import type { errors, KoaContextWithOIDC, Provider } from 'oidc-provider'
import type { ErrorCode } from '../../kernel/index.ts'
import type { IdentityEvents } from '../identity-events.ts'
import type { IdentityRegistry } from '../identity-registry.ts'

/** Where refusals and what nobody expected are told. */
export interface LibraryRefusalsParts {
  readonly events: Pick<IdentityEvents, 'refused'>
  readonly registry: Pick<IdentityRegistry, 'findCredential' | 'findPrincipal'>
  readonly addressOf: (request: object) => string
  readonly reportIncident: (where: string, error: unknown) => void
}

const refusals = [
  'grant.error',
  'authorization.error',
  'pushed_authorization_request.error',
  'revocation.error',
] as const

/** Tells of every request that oidc-provider refuses, and of its own failures. */
export function tellRefusals(provider: Provider, parts: LibraryRefusalsParts): void {
  const refused = (ctx: KoaContextWithOIDC, error: errors.OIDCProviderError): void => {
    const grantId = ctx.oidc.entities.Grant?.jti
    const credential = parts.registry.findCredential(grantId ?? ctx.oidc.entities.Client?.clientId ?? '')
    const principal = credential === null ? null : parts.registry.findPrincipal(credential.principalId)
    parts.events.refused({
      code: codeOf(error.error),
      route: ctx.path.startsWith('/oauth/authorize/') ? '/oauth/authorize/{id}' : ctx.path,
      namespace: principal?.namespace ?? null,
      principalId: principal?.id ?? null,
      credentialId: credential?.id ?? null,
      address: parts.addressOf(ctx.req),
      reason: reasonOf(error),
    })
  }
  const emitter: EventEmitter = provider
  for (const name of refusals) emitter.on(name, refused)
  emitter.on('server_error', (ctx: KoaContextWithOIDC, error: unknown) => parts.reportIncident(ctx.path, error))
  // Koa prints errors to the console where nobody listens.
  emitter.on('error', (error: unknown) => parts.reportIncident('oauth', error))
}

function codeOf(error: string): ErrorCode {
  if (error === 'invalid_client' || error === 'invalid_grant') return 'credential_invalid'
  if (error === 'invalid_dpop_proof') return 'dpop_proof_invalid'
  if (error === 'use_dpop_nonce') return 'dpop_nonce_required'
  if (error === 'access_denied') return 'denied'
  if (error === 'temporarily_unavailable') return 'audit_unavailable'
  return 'invalid_request'
}

/** Details are the library's own words, or ours; with a cause they may quote the request. */
function reasonOf(error: errors.OIDCProviderError): string {
  const detail = error.cause === undefined ? error.error_detail : undefined
  return detail === undefined || !/^[ -~]{1,300}$/.test(detail) ? error.error : `${error.error}: ${detail}`
}
