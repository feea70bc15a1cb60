import { isJsonObject, type Clock, type JsonObject } from '../../kernel/index.ts'
import type { LocalKeys } from '../authorization-server/local-keys.ts'
import { readResource } from '../authorization-server/protected-resource.ts'
import type { IdentityRegistry } from '../identity-registry.ts'
import { audiencesOf, textClaim } from '../resource-server/token-claims.ts'
import type { VerifiedToken } from '../resource-server/verified-token.ts'
import { verifyOwnToken } from '../resource-server/verify-own-token.ts'
import { readJws } from '../signatures/read-jws.ts'

/** An access token of this server, for whichever of its resources it is. */
export interface OwnToken {
  readonly token: VerifiedToken
  /** `act` as it stands in the token; `null` where nobody acts for another. */
  readonly act: JsonObject | null
  /** The only one who may act with it (RFC 8693 section 4.4); `null` where it names nobody. */
  readonly mayAct: string | null
}

/** Verifies an access token of the server that `issuer` names; `null` for anything else. Does not check who sent it. */
export type ReadOwnToken = (text: string, issuer: string) => OwnToken | null

/** What reading stands on. */
export interface OwnTokenParts {
  readonly keys: LocalKeys
  readonly registry: Pick<IdentityRegistry, 'findActiveCredential'>
  readonly clock: Clock
}

/** The check that the resource server makes, for the one resource that the token itself names, and of revocation. */
export function createReadOwnToken(parts: OwnTokenParts): ReadOwnToken {
  return (text, issuer) => {
    const jws = readJws(text)
    const [identifier] = jws === null ? [] : (audiencesOf(jws.claims) ?? [])
    if (jws === null || jws.claims.iss !== issuer || identifier === undefined) return null
    const resource = readResource(issuer, identifier)
    if (resource === null) return null
    const namespace = resource.kind === 'namespace' ? resource.namespace : null
    const outcome = verifyOwnToken(jws, issuer, { identifier, namespace, scope: resource.scope }, parts)
    if (!outcome.ok) return null
    const { token } = outcome
    if (token.facts.tokenId === null || parts.keys.isRevoked(token.facts.tokenId)) return null
    const mayAct = readMayAct(jws.claims)
    if (mayAct === undefined) return null
    return { token, act: isJsonObject(jws.claims.act) ? jws.claims.act : null, mayAct }
  }
}

/** `undefined` for a form that is not known here: what it forbids cannot be told. */
function readMayAct({ may_act: mayAct }: JsonObject): string | null | undefined {
  if (mayAct === undefined) return null
  return (isJsonObject(mayAct) && Object.keys(mayAct).length === 1 ? textClaim(mayAct.sub) : null) ?? undefined
}
