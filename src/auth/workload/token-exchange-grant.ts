import type { Clock, JsonObject } from '../../kernel/index.ts'
import type { TokenGrant, TokenGrantAnswer, TokenGrantRequest } from '../authorization-server/token-grant.ts'
import type { IdentityRegistry } from '../identity-registry.ts'
import { refuseGrant, type GrantRefusal } from './grant-refusal.ts'
import type { OwnToken, ReadOwnToken } from './own-token.ts'
import { readScopes } from './read-scopes.ts'

/** What the grant stands on. */
export interface TokenExchangeParts {
  readonly readToken: ReadOwnToken
  readonly registry: Pick<IdentityRegistry, 'findActiveCredential'>
  readonly clock: Pick<Clock, 'nowMs'>
  /** Longest chain of actors. */
  readonly maxActors: number
}

const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token'

/**
 * Token exchange (RFC 8693) that only narrows. Both tokens are access tokens of this server for the same resource: that
 * of the subject, whose rights are used, and that of the actor, who will use them and proves itself with it. The new
 * token has the subject, the resource, scopes of the subject's token at most, ends with the sooner of both, and says who
 * acts (`act`). A token bound to a key is exchanged only with proof of that key.
 *
 * Where actor and subject are one, nobody acts for another: the token is narrowed and no actor is added. The holder can
 * then name the one agent that may act with it (`may_act`, a parameter of ours), and that stays with the token.
 * A token that is not good is `invalid_request`, as section 2.2.2 has it.
 */
export function createTokenExchangeGrant({ readToken, registry, clock, maxActors }: TokenExchangeParts): TokenGrant {
  return {
    grantType: 'urn:ietf:params:oauth:grant-type:token-exchange',
    parameters: [
      'subject_token',
      'subject_token_type',
      'actor_token',
      'actor_token_type',
      'requested_token_type',
      'audience',
      'may_act',
    ],
    async handle(request) {
      const malformed = checkParameters(request)
      if (malformed !== null) return malformed
      const subject = readGood(request, 'subject_token')
      if ('ok' in subject) return subject
      const actor = readGood(request, 'actor_token')
      if ('ok' in actor) return actor
      return exchange(subject, actor, request)
    },
  }

  /** The token of a parameter, with the credentials that it stands on good and its key proved. */
  function readGood(request: TokenGrantRequest, parameter: string): OwnToken | GrantRefusal {
    const bad = (reason: string): GrantRefusal =>
      refuseGrant('invalid_request', `The ${parameter} is not good here.`, `${parameter}: ${reason}`)
    const read = readToken(request.parameters.get(parameter) ?? '', request.issuer)
    if (read === null) return bad('no access token of this server, or expired or revoked')
    const { confirmation, credentialId, facts } = read.token
    const { actorCredentials = [], actors } = facts
    if (actorCredentials.length !== actors.length || actorCredentials.some((id) => !isActive(id)))
      return bad('one of its actors may not act any more')
    if (confirmation.kind === 'dpop' && confirmation.thumbprint !== request.dpopThumbprint)
      return bad('bound to a key that was not proved')
    if (confirmation.kind === 'mtls' && confirmation.certificateSha256 !== request.certificateSha256)
      return bad('bound to a certificate that was not presented')
    const active = registry.findActiveCredential(credentialId)
    if (active === null) return bad('its credential is not good any more')
    if (active.principal.senderConstrainedOnly && confirmation.kind === 'none')
      return bad('not bound to a key, as its agent must be')
    return read
  }

  function isActive(credentialId: string): boolean {
    return registry.findActiveCredential(credentialId) !== null
  }

  function exchange(subject: OwnToken, actor: OwnToken, request: TokenGrantRequest): TokenGrantAnswer {
    const { resource, scopes: has, expiresAtMs, credentialId } = subject.token
    if (actor.act !== null) return refuseGrant('invalid_request', 'The actor_token must be the own token of the actor.')
    if (actor.token.resource !== resource)
      return refuseGrant('invalid_request', 'The actor_token is for another resource than the subject_token.')
    if (!targetsOf(request).every((target) => target === resource))
      return refuseGrant('invalid_target', 'The target is another one than that of the subject_token.')
    const scopes = readScopes(request.parameters.get('scope')) ?? has
    if (scopes.length === 0 || !scopes.every((scope) => has.some((one) => one === scope)))
      return refuseGrant('invalid_scope', 'The scope is more than that of the subject_token.')
    const chain = chainWith(subject, actor)
    if ('ok' in chain) return chain
    const mayAct = mayActOf(subject, actor, request.parameters.get('may_act'))
    if (mayAct !== null && typeof mayAct !== 'string') return mayAct
    const untilMs = Math.min(expiresAtMs, actor.token.expiresAtMs)
    return {
      ok: true,
      order: {
        credentialId,
        clientId: request.client?.id ?? actor.token.facts.clientId ?? actor.token.credentialId,
        resource,
        scopes,
        lifetimeSeconds: Math.floor((untilMs - clock.nowMs()) / 1000),
        act: chain.act,
        mayAct,
        facts: { actor: actor.token.principalId },
      },
      members: { issued_token_type: accessTokenType },
    }
  }

  function chainWith(subject: OwnToken, actor: OwnToken): { readonly act: JsonObject | null } | GrantRefusal {
    const { actors } = subject.token.facts
    const { principalId, credentialId } = actor.token
    if ((actors[0] ?? subject.token.principalId) === principalId) return { act: subject.act }
    if (subject.mayAct !== null && subject.mayAct !== principalId)
      return refuseGrant('invalid_request', 'The subject_token names another one who may act with it (may_act).')
    if (actors.length >= maxActors)
      return refuseGrant('invalid_request', 'Too many act for one another already (auth.workload.maxActors).')
    const former = subject.act === null ? {} : { act: subject.act }
    return { act: { sub: principalId, mcpworks_credential: credentialId, ...former } }
  }
}

/** Only its own holder ties a token to one actor, and nobody unties it. */
function mayActOf(subject: OwnToken, actor: OwnToken, wanted: string | undefined): string | null | GrantRefusal {
  if (wanted === undefined || wanted === subject.mayAct) return subject.mayAct
  const isHolder = actor.token.principalId === subject.token.principalId && subject.act === null
  return isHolder && subject.mayAct === null && /^[a-z0-9-]{2,40}\/[a-z0-9-]{2,40}$/.test(wanted)
    ? wanted
    : refuseGrant('invalid_request', 'may_act names one agent, and only the holder of the subject_token can set it.')
}

function checkParameters({ parameters }: TokenGrantRequest): GrantRefusal | null {
  for (const name of ['subject_token', 'actor_token']) {
    if (!parameters.has(name)) return refuseGrant('invalid_request', `The parameter ${name} is missing.`)
    if (parameters.get(`${name}_type`) !== accessTokenType)
      return refuseGrant('invalid_request', `The ${name}_type must be ${accessTokenType}.`)
  }
  const wanted = parameters.get('requested_token_type') ?? accessTokenType
  return wanted === accessTokenType
    ? null
    : refuseGrant('invalid_request', `The requested_token_type must be ${accessTokenType}.`)
}

/** `audience` and `resource` name the same thing here. */
function targetsOf({ parameters, resources }: TokenGrantRequest): string[] {
  const audience = parameters.get('audience')
  return [...resources, ...(audience === undefined ? [] : [audience])]
}
