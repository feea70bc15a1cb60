import { errors, Provider } from 'oidc-provider'
import { orUnavailable } from './unavailable.ts'
import type { AccessTokenOrder, IssueAccessToken, TokenBinding } from './issue-access-token.ts'

/** What oidc-provider knows of a token that it is about to hand out. */
interface LibraryToken {
  readonly kind: 'AccessToken' | 'ClientCredentials'
  readonly clientId?: string
  /** Of tokens that a person consented to: the id of the credential in the registry. */
  readonly grantId?: string
  readonly aud?: string | string[]
  readonly scope?: string
  readonly jkt?: string
  readonly 'x5t#S256'?: string
}

/**
 * Makes oidc-provider's access tokens ours: one place issues for all grant types, records it first, and signs with keys
 * that rotate while the server runs, which the library's cannot. `getValueAndPayload` is what its models turn
 * themselves into text by; a token without a payload is not stored.
 */
export function mintOwnTokens(
  provider: Provider,
  issue: IssueAccessToken,
  addressOf: (request: object) => string,
): void {
  const getValueAndPayload = {
    async value(this: LibraryToken): Promise<{ value: string }> {
      return { value: await mint(this, issue, addressOf) }
    },
  }
  Object.defineProperties(provider.AccessToken.prototype, { getValueAndPayload })
  Object.defineProperties(provider.ClientCredentials.prototype, { getValueAndPayload })
}

async function mint(
  token: LibraryToken,
  issue: IssueAccessToken,
  addressOf: (request: object) => string,
): Promise<string> {
  const { ctx } = Provider
  if (ctx === undefined) throw new Error('a token outside of a request')
  const outcome = await orUnavailable(issue(orderOf(token, String(ctx.oidc.params?.grant_type), addressOf(ctx.req))))
  if (outcome.ok) return outcome.token
  if (outcome.error === 'invalid_scope') throw new errors.InvalidScope(outcome.description, token.scope ?? '')
  if (outcome.error === 'invalid_target') throw new errors.InvalidTarget(outcome.description)
  throw new errors.InvalidGrant(outcome.description)
}

function orderOf(token: LibraryToken, grantType: string, address: string): AccessTokenOrder {
  return {
    credentialId: token.grantId ?? token.clientId ?? '',
    clientId: token.clientId ?? '',
    resource: typeof token.aud === 'string' ? token.aud : '',
    scopes: token.scope === undefined || token.scope === '' ? [] : token.scope.split(' '),
    grantType,
    binding: bindingOf(token),
    lifetimeSeconds: null,
    act: null,
    address,
    facts: {},
  }
}

function bindingOf(token: LibraryToken): TokenBinding | null {
  if (token.jkt !== undefined) return { kind: 'dpop', thumbprint: token.jkt }
  const sha256 = token['x5t#S256']
  return sha256 === undefined ? null : { kind: 'certificate', sha256 }
}
