import { actionResources } from './cedar-schema.ts'
import type { PolicyAction, PolicyRequest } from './decision.ts'
import { LruMap } from './lru-map.ts'
import { PolicyIndex } from './policy-index.ts'
import type { ParsedPolicySet } from './policy-set.ts'
import { PreparedRequest } from './prepared-request.ts'
import { principalEntity, resourceEntity } from './request-entities.ts'
import type { KnownTool, ToolVocabulary } from './tool-vocabulary.ts'

/** How many kinds of requests are remembered for each namespace. */
const preparedLimit = 4_096

/** The policies in force in one namespace with the vocabulary that they were checked against. Immutable but for caches. */
export class NamespacePolicies {
  readonly set: ParsedPolicySet
  readonly vocabulary: ToolVocabulary
  readonly #misfits: ReadonlySet<string>
  readonly #index: PolicyIndex
  readonly #prepared = new LruMap<PreparedRequest>(preparedLimit)

  constructor(set: ParsedPolicySet, vocabulary: ToolVocabulary, misfits: ReadonlySet<string>) {
    this.set = set
    this.vocabulary = vocabulary
    this.#misfits = misfits
    this.#index = new PolicyIndex(set.policies)
  }

  /**
   * Looks up or makes the prepared form of a request. Answers a sentence for a request that contradicts itself or the
   * vocabulary. Reads no arguments and no circumstances.
   */
  prepare(
    principal: PolicyRequest['principal'],
    action: PolicyAction,
    resource: PolicyRequest['resource'],
  ): PreparedRequest | string {
    const key = keyOf(principal, action, resource)
    const known = this.#prepared.get(key)
    if (known !== undefined) return known
    const prepared = this.#make(principal, action, resource)
    if (typeof prepared !== 'string') this.#prepared.set(key, prepared)
    return prepared
  }

  /** As `prepare`, but remembers nothing new: one list of tools must not push out what calls use. */
  glance(...[principal, action, resource]: Parameters<NamespacePolicies['prepare']>): PreparedRequest | string {
    return this.#prepared.get(keyOf(principal, action, resource)) ?? this.#make(principal, action, resource)
  }

  #make(
    principal: PolicyRequest['principal'],
    action: PolicyAction,
    resource: PolicyRequest['resource'],
  ): PreparedRequest | string {
    const principalSide = principalEntity(principal, resource.namespace)
    if (typeof principalSide === 'string') return principalSide
    const resourceSide = resourceEntity(resource)
    if (typeof resourceSide === 'string') return resourceSide
    if (!Object.hasOwn(actionResources, action) || !actionResources[action].includes(resource.type)) {
      return 'The action does not apply to that kind of resource.'
    }
    let tool: KnownTool | null = null
    if (action === 'call') {
      tool = this.vocabulary.tools.get(resource.id) ?? null
      if (tool === null || resource.service === null || tool.service !== `${resource.namespace}/${resource.service}`) {
        return 'The policies in force were not checked against this tool.'
      }
    }
    const policies = this.#index.slice(principalSide.scoped, action, resourceSide.scoped)
    const parts = {
      principal: principalSide,
      resource: resourceSide,
      policies,
      misfits: [
        ...(tool?.facts.misfits ?? []),
        ...policies.filter(({ id }) => this.#misfits.has(id)).map(({ id }) => id),
      ],
    }
    return new PreparedRequest({ principal, action, resource }, parts, tool, () => this.vocabulary.schemaHash(tool))
  }
}

function keyOf(
  { type, id, namespace, groups }: PolicyRequest['principal'],
  action: PolicyAction,
  resource: PolicyRequest['resource'],
): string {
  return JSON.stringify([type, id, namespace, groups, action, resource.type, resource.id, resource.service])
}
