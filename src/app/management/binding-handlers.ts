import {
  checkBinding,
  explainAssertion,
  readBindingDetails,
  type BindingVerdict,
  type BoundIssuer,
  type IdentityRegistry,
  type ServerIdentity,
  type StoredCredential,
  type WorkloadIssuer,
} from '../../auth/index.ts'
import { McpworksError, type Clock, type JsonObject } from '../../kernel/index.ts'
import type { Handlers } from './handler.ts'

type BindingHandlers = Pick<Handlers, 'binding.list' | 'binding.add' | 'binding.remove' | 'binding.try'>

/** What the handlers stand on. */
export interface BindingParts {
  readonly registry: IdentityRegistry
  /** Whose assertions are believed. */
  readonly issuers: readonly WorkloadIssuer[]
  /** Identifiers of those whose access tokens are taken. */
  readonly tokenIssuers: readonly string[]
  readonly clock: Clock
  /** Where this server is, once it listens. */
  readonly here: () => ServerIdentity
}

/** Which workloads act as which agents. A binding is refused where it would name more than workloads of one kind. */
export function bindingHandlers({ registry, issuers, tokenIssuers, clock, here }: BindingParts): BindingHandlers {
  const known = new Set(issuers.map(({ issuer }) => issuer))
  const bindable: readonly BoundIssuer[] = [
    ...issuers,
    ...tokenIssuers
      .filter((issuer) => !known.has(issuer))
      .map((issuer) => ({ issuer, preset: 'generic' as const, trustDomain: null })),
  ]
  const ofNamespace = (namespace: string) =>
    registry.listAgents(namespace).flatMap(({ id }) => registry.listCredentials(id).filter(isBinding))
  return {
    'binding.list': async ({ namespace }) => ({
      bindings: ofNamespace(namespace).map(asJson),
      issuers: [
        ...issuers.map(({ issuer, preset, accepts }) => ({ issuer, preset, accepts: [...accepts] })),
        ...tokenIssuers.map((issuer) => ({ issuer, preset: 'generic', accepts: ['access-token'] })),
      ],
    }),
    async 'binding.add'({ namespace, agent, issuer: identifier, preset, match, label, scopes, expiresInSeconds }) {
      const issuer = findIssuer(bindable, identifier, preset)
      const { problems, warnings } = checkBinding(issuer, match)
      if (problems.length > 0) throw new McpworksError('invalid_request', { message: problems.join(' ') })
      const added = await registry.addCredential(`${namespace}/${agent}`, {
        kind: 'binding',
        label,
        scopes: [...new Set(scopes)],
        expiresAtMs: expiresInSeconds === null ? null : clock.nowMs() + expiresInSeconds * 1000,
        details: { issuer: issuer.issuer, match },
      })
      return { binding: asJson(added), warnings: [...warnings] }
    },
    async 'binding.remove'({ namespace, binding }) {
      if (!ofNamespace(namespace).some(({ id }) => id === binding))
        throw new McpworksError('unknown_object', { message: `There is no binding ${binding} in ${namespace}.` })
      await registry.revokeCredential(namespace, binding)
      return { removed: binding }
    },
    async 'binding.try'({ namespace, header, claims }) {
      const bindings = registry
        .listActiveCredentials('binding')
        .filter(({ principal }) => principal.namespace === namespace)
      const explained = explainAssertion({ header, claims }, issuers, bindings, here(), clock.nowMs())
      return {
        kind: explained.kind,
        issuer: explained.issuer,
        problem: explained.problem,
        agent: explained.match?.principal.id ?? null,
        binding: explained.match?.credential.id ?? null,
        mismatch: explained.mismatch,
        verdicts: explained.verdicts.map(verdictAsJson),
      }
    },
  }
}

function isBinding({ kind }: StoredCredential): boolean {
  return kind === 'binding'
}

/** @throws McpworksError `invalid_request` where the issuer is not trusted, or several of the preset are. */
function findIssuer(
  issuers: readonly BoundIssuer[],
  identifier: string | null,
  preset: WorkloadIssuer['preset'] | null,
): BoundIssuer {
  const candidates = issuers.filter(
    (trusted) =>
      (identifier === null || trusted.issuer === identifier) && (preset === null || trusted.preset === preset),
  )
  const [only] = candidates
  if (only !== undefined && candidates.length === 1) return only
  const asked = [...(preset === null ? [] : [preset]), ...(identifier === null ? [] : [identifier])].join(' ')
  if (only !== undefined) {
    const names = candidates.map(({ issuer }) => issuer).join(', ')
    throw new McpworksError('invalid_request', { message: `Several issuers are trusted; say which: ${names}.` })
  }
  throw new McpworksError('invalid_request', {
    message: `No issuer ${asked} is trusted. Add it to auth.workload.issuers (assertions) or auth.issuers (access tokens) and start the server again.`,
  })
}

function asJson(credential: StoredCredential): JsonObject {
  const { id, principalId, label, scopes, createdAtMs, expiresAtMs, revokedAtMs } = credential
  const details = readBindingDetails(credential.details)
  return {
    id,
    agent: principalId,
    issuer: details?.issuer ?? null,
    match: { ...details?.match },
    label,
    scopes: [...scopes],
    createdAtMs,
    expiresAtMs,
    revokedAtMs,
  }
}

function verdictAsJson({ binding, mismatches }: BindingVerdict): JsonObject {
  return {
    binding: binding.credential.id,
    agent: binding.principal.id,
    matches: mismatches.length === 0,
    mismatches: mismatches.map(({ claim, why }) => ({ claim, why })),
  }
}
