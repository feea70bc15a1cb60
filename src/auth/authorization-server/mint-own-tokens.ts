import { errors, Provider } from 'oidc-provider'
import { bindToken } from './bind-token.ts'
import type { FrontRequest } from './front-request.ts'
import type { AccessTokenOrder, IssueAccessToken } from './issue-access-token.ts'
import { orUnavailable } from './unavailable.ts'

/** What oidc-provider knows of a token that it is about to hand out. */
interface LibraryToken {
  readonly kind: 'AccessToken' | 'ClientCredentials'
  readonly clientId?: string
  /** Of tokens that a person consented to: the id of the credential in the registry. */
  readonly grantId?: string
  readonly aud?: string | string[]
  readonly scope?: string
  readonly jkt?: string
}

/**
 * Makes oidc-provider's access tokens ours: one place issues for all grant types, records it first, and signs with keys
 * that rotate while the server runs, which the library's cannot. `getValueAndPayload` is what its models turn
 * themselves into text by; a token without a payload is not stored.
 */
export function mintOwnTokens(
  provider: Provider,
  issue: IssueAccessToken,
  frontOf: (request: object) => FrontRequest,
): void {
  const getValueAndPayload = {
    async value(this: LibraryToken): Promise<{ value: string }> {
      return { value: await mint(this, issue, frontOf) }
    },
  }
  Object.defineProperties(provider.AccessToken.prototype, { getValueAndPayload })
  Object.defineProperties(provider.ClientCredentials.prototype, { getValueAndPayload })
}

async function mint(
  token: LibraryToken,
  issue: IssueAccessToken,
  frontOf: (request: object) => FrontRequest,
): Promise<string> {
  const { ctx } = Provider
  if (ctx === undefined) throw new Error('a token outside of a request')
  const outcome = await orUnavailable(issue(orderOf(token, String(ctx.oidc.params?.grant_type), frontOf(ctx.req))))
  if (outcome.ok) return outcome.token
  if (outcome.error === 'invalid_scope') throw new errors.InvalidScope(outcome.description, token.scope ?? '')
  if (outcome.error === 'invalid_target') throw new errors.InvalidTarget(outcome.description)
  throw new errors.InvalidGrant(outcome.description)
}

function orderOf(token: LibraryToken, grantType: string, front: FrontRequest): AccessTokenOrder {
  return {
    credentialId: token.grantId ?? token.clientId ?? '',
    clientId: token.clientId ?? '',
    resource: typeof token.aud === 'string' ? token.aud : '',
    scopes: token.scope === undefined || token.scope === '' ? [] : token.scope.split(' '),
    grantType,
    binding: bindToken(token.jkt ?? null, front.certificateSha256),
    lifetimeSeconds: null,
    act: null,
    address: front.address,
    facts: {},
  }
}
