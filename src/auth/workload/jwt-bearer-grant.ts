import { isJsonObject, type Clock, type JsonObject, type Scope } from '../../kernel/index.ts'
import { isOpenTo, readResource, type ProtectedResource } from '../authorization-server/protected-resource.ts'
import type { TokenGrant, TokenGrantAnswer, TokenGrantRequest } from '../authorization-server/token-grant.ts'
import type { ActiveCredential, IdentityRegistry } from '../identity-registry.ts'
import type { VerifiedAssertion } from './assertion.ts'
import { refuseGrant, type GrantRefusal } from './grant-refusal.ts'
import { chooseBinding } from './match-bindings.ts'
import { readScopes } from './read-scopes.ts'
import type { UsedAssertions } from './used-assertions.ts'
import type { VerifyAssertion } from './verify-assertion.ts'

/** What the grant stands on. */
export interface JwtBearerParts {
  /** Whether identity assertions of any issuer are taken. */
  readonly takesIdentities: boolean
  readonly verify: VerifyAssertion
  readonly registry: Pick<IdentityRegistry, 'listActiveCredentials'>
  readonly used: UsedAssertions
  readonly clock: Pick<Clock, 'nowMs'>
}

/** What an assertion is exchanged for. */
interface Target {
  readonly identifier: string
  readonly resource: ProtectedResource
  /** `null` asks for all that the binding has. */
  readonly scopes: readonly string[] | null
}

/** Longest subject in a record. */
const maxSubjectLength = 300

/**
 * The grant of RFC 7523 section 2.1 for two kinds of assertion: those of workloads, which need no client (SEP-1933), and
 * identity assertions about people, which need the authenticated client that they were made for (ID-JAG).
 *
 * A trusted issuer is not enough: one binding of one agent that the resource is open to must match the claims. A client
 * learns that its assertion was refused and not why; the record says which claim of which binding did not match.
 */
export function createJwtBearerGrant({ verify, registry, used, clock, takesIdentities }: JwtBearerParts): TokenGrant {
  return {
    grantType: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
    parameters: ['assertion'],
    profiles: takesIdentities ? ['urn:ietf:params:oauth:grant-profile:id-jag'] : [],
    async handle(request) {
      const text = request.parameters.get('assertion')
      if (text === undefined) return refuseGrant('invalid_request', 'The parameter assertion is missing.')
      const outcome = await verify(text, request)
      if (!outcome.ok && outcome.code === 'unavailable')
        return refuseGrant('invalid_grant', 'The keys of the issuer cannot be had. Try again.', outcome.reason)
      if (!outcome.ok) return refuseAssertion(outcome.reason)
      return accept(outcome.assertion, request)
    },
  }

  async function accept(assertion: VerifiedAssertion, request: TokenGrantRequest): Promise<TokenGrantAnswer> {
    const { issuer, claims, subject } = assertion
    const unfit = unfitFor(assertion, request)
    if (unfit !== null) return unfit
    const target = assertion.kind === 'id-jag' ? targetOfIdentity(claims, request) : targetOfWorkload(request)
    if ('ok' in target) return target
    const { resource } = target
    const candidates = registry
      .listActiveCredentials('binding')
      .filter(({ principal, scopes }) => isOpenTo(resource, principal) && scopes.includes(resource.scope))
    const choice = chooseBinding(issuer.issuer, claims, candidates)
    if (!choice.ok) return refuseAssertion(choice.reason)
    const { binding } = choice
    if (!hasScopes(binding, resource.scope, target.scopes))
      return refuseGrant('invalid_scope', 'The scope is more than there is for this resource.')
    if (assertion.singleUseId !== null && !(await claim(assertion, assertion.singleUseId)))
      return refuseAssertion('the assertion was used before')
    return {
      ok: true,
      order: {
        credentialId: binding.credential.id,
        clientId: request.client?.id ?? binding.credential.id,
        resource: target.identifier,
        scopes: target.scopes,
        lifetimeSeconds: null,
        act: null,
        facts: { assertion: assertion.kind, issuer: issuer.issuer, subject: subject.slice(0, maxSubjectLength) },
      },
    }
  }

  function claim({ issuer, expiresAtMs }: VerifiedAssertion, id: string): Promise<boolean> {
    // Verification still takes it a little after it expired.
    return used.claim(issuer.issuer, id, expiresAtMs + 60_000, clock.nowMs())
  }
}

/** One sentence for whatever is wrong, so that nobody can ask their way to a claim that fits. */
function refuseAssertion(reason: string): GrantRefusal {
  return refuseGrant('invalid_grant', 'The assertion is not good here, or no workload of it may have this.', reason)
}

/** What the assertion itself asks of the request: the client that it names, the key that it is bound to. */
function unfitFor({ kind, claims }: VerifiedAssertion, request: TokenGrantRequest): GrantRefusal | null {
  if (kind === 'id-jag') {
    if (request.client === null || request.client.isPublic)
      return refuseGrant('unauthorized_client', 'An identity assertion is taken from an authenticated client only.')
    if (claims['client_id'] !== request.client.id) return refuseAssertion('client_id is that of another client')
  }
  if (claims['act'] !== undefined) return refuseAssertion('act in an assertion: whom it names is not known here')
  if (claims['cnf'] !== undefined && !holdsKey(claims['cnf'], request))
    return refuseAssertion('the assertion is bound to a key that was not proved')
  return null
}

/** RFC 7800 section 3, with the two confirmations that can be made here. */
function holdsKey(confirmation: unknown, { dpopThumbprint, certificateSha256 }: TokenGrantRequest): boolean {
  if (!isJsonObject(confirmation)) return false
  const entries = Object.entries(confirmation)
  return (
    entries.length > 0 &&
    entries.every(([name, value]) => {
      if (name === 'jkt') return value === dpopThumbprint
      return name === 'x5t#S256' && value === certificateSha256
    })
  )
}

function targetOfWorkload(request: TokenGrantRequest): Target | GrantRefusal {
  const [identifier] = request.resources
  if (identifier === undefined || request.resources.length > 1)
    return refuseGrant('invalid_target', 'Name exactly one resource: the URL of the MCP endpoint.')
  const resource = readResource(request.issuer, identifier)
  if (resource === null) return refuseGrant('invalid_target', 'The resource is none of this server.')
  return { identifier, resource, scopes: readScopes(request.parameters.get('scope')) }
}

/**
 * The resource is that of the assertion, which the issuer bound to its audience; the request may only repeat it. Scopes
 * are what both the issuer and the client named.
 */
function targetOfIdentity(claims: JsonObject, request: TokenGrantRequest): Target | GrantRefusal {
  const identifier = claims['resource']
  const resource = typeof identifier === 'string' ? readResource(request.issuer, identifier) : null
  if (typeof identifier !== 'string' || resource === null)
    return refuseAssertion('resource is missing or none of this server')
  if (request.resources.some((asked) => asked !== identifier))
    return refuseGrant('invalid_target', 'The resource is another one than that of the assertion.')
  const { scope } = claims
  if (scope !== undefined && typeof scope !== 'string') return refuseAssertion('scope is no text')
  const granted = readScopes(scope)
  const asked = readScopes(request.parameters.get('scope'))
  const scopes = granted === null ? asked : asked === null ? granted : asked.filter((one) => granted.includes(one))
  return { identifier, resource, scopes: scopes?.filter((one) => one === resource.scope) ?? null }
}

function hasScopes(binding: ActiveCredential, resourceScope: Scope, asked: readonly string[] | null): boolean {
  if (asked === null) return true
  return (
    asked.length > 0 && asked.every((scope) => scope === resourceScope && binding.scopes.some((has) => has === scope))
  )
}
