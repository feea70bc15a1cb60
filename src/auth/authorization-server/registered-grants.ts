import { errors, type KoaContextWithOIDC, type Provider } from 'oidc-provider'
import { bindToken } from './bind-token.ts'
import { noClient } from './client-directory.ts'
import { endpoints } from './endpoints.ts'
import type { FrontRequest } from './front-request.ts'
import type { IssueAccessToken } from './issue-access-token.ts'
import type { TokenGrant, TokenGrantAnswer, TokenGrantRequest } from './token-grant.ts'
import { orUnavailable } from './unavailable.ts'

/** What the added grants stand on. */
export interface RegisteredGrantsParts {
  readonly issuer: string
  readonly issue: IssueAccessToken
  /** The request as it came. */
  readonly frontOf: (request: object) => FrontRequest
  /** Checks the DPoP proof of a request to the token endpoint. @throws what oidc-provider answers with */
  readonly checkProof: (ctx: KoaContextWithOIDC, proof: string) => Promise<string>
}

/**
 * Adds grant types to oidc-provider's token endpoint. Its handlers are called as `(ctx)`; client authentication,
 * repeated parameters and the form of scopes are checked before, DPoP and resources are not.
 */
export function registerGrants(provider: Provider, grants: readonly TokenGrant[], parts: RegisteredGrantsParts): void {
  for (const grant of grants) {
    const parameters = [...grant.parameters, 'scope', 'resource']
    provider.registerGrantType(grant.grantType, (ctx) => serve(ctx, grant, parts), parameters, ['resource'])
  }
}

async function serve(ctx: KoaContextWithOIDC, grant: TokenGrant, parts: RegisteredGrantsParts): Promise<void> {
  const front = parts.frontOf(ctx.req)
  const dpopThumbprint = front.dpop === undefined ? null : await parts.checkProof(ctx, front.dpop)
  const request = readRequest(ctx, front, dpopThumbprint, parts.issuer)
  const answer = await orUnavailable(grant.handle(request))
  if (!answer.ok) throw refusal(answer)
  const outcome = await orUnavailable(
    parts.issue({
      ...answer.order,
      grantType: grant.grantType,
      binding: bindToken(request.dpopThumbprint, request.certificateSha256),
      address: front.address,
    }),
  )
  if (!outcome.ok) throw refusal({ ...outcome, reason: outcome.description })
  ctx.body = {
    ...answer.members,
    access_token: outcome.token,
    token_type: outcome.tokenType,
    expires_in: outcome.expiresInSeconds,
    scope: outcome.scopes.join(' '),
  }
}

function readRequest(
  ctx: KoaContextWithOIDC,
  front: FrontRequest,
  dpopThumbprint: string | null,
  issuer: string,
): TokenGrantRequest {
  const { params = {}, client } = ctx.oidc
  const { resource, ...others } = params
  const texts = Object.entries(others).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  const isNamed = client !== undefined && client.clientId !== noClient
  return {
    parameters: new Map(texts.filter(([name]) => !clientParameters.has(name))),
    resources: [resource].flat().filter((text) => typeof text === 'string'),
    client: isNamed ? { id: client.clientId, isPublic: client.clientAuthMethod === 'none' } : null,
    dpopThumbprint,
    certificateSha256: front.certificateSha256,
    issuer,
    tokenEndpoint: `${issuer}${endpoints.token}`,
    address: front.address,
  }
}

/** Those of client authentication: a grant has no use for them, and some are secret. */
const clientParameters = new Set(['client_id', 'client_secret', 'client_assertion', 'client_assertion_type'])

function refusal({ error, description, reason }: Extract<TokenGrantAnswer, { ok: false }>): Error {
  return Object.assign(new errors.CustomOIDCProviderError(error, description), { error_detail: reason })
}
