import { canonicalJson, sha256, type Digest } from '../kernel/index.ts'
import type { CedarRecord } from './argument-type.ts'
import { unionOfReads, type AttributeReads } from './attribute-reads.ts'
import { actionResources, projectRecord, requestSchema } from './cedar-schema.ts'
import type { EntityJson, SchemaJson } from './cedar.ts'
import type { PolicyAction, PolicyRequest } from './decision.ts'
import { LruMap } from './lru-map.ts'
import { PolicyIndex } from './policy-index.ts'
import type { ParsedPolicy, ParsedPolicySet } from './policy-set.ts'
import { principalEntity, resourceEntity, type RequestEntity } from './request-entities.ts'
import type { KnownTool, ToolVocabulary } from './tool-vocabulary.ts'

/** Everything about a kind of request that does not depend on its arguments and circumstances. */
export interface PreparedRequest {
  readonly principal: RequestEntity
  readonly resource: RequestEntity
  readonly entities: EntityJson[]
  /** RFC 8785 text of `entities`. */
  readonly entitiesText: string
  readonly entitiesHash: Digest
  readonly schemaHash: Digest
  /** The policies whose scope matches, in order, and by id. */
  readonly policies: readonly ParsedPolicy[]
  readonly byId: ReadonlyMap<string, ParsedPolicy>
  /** Key of the policies' content. */
  readonly policiesKey: string
  /** What those policies could read of the context. */
  readonly reads: AttributeReads
  /** Type of `context.args`; `null` where the action has none. */
  readonly args: CedarRecord | null
  /** The part of `args` that the policies could read. */
  readonly readArgs: CedarRecord | null
  readonly schema: SchemaJson<string>
  readonly schemaKey: string
  /** Ids of policies in scope that do not fit the tool; any one of them means deny. */
  readonly misfits: readonly string[]
}

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
    const key = JSON.stringify([
      principal.type,
      principal.id,
      principal.namespace,
      principal.groups,
      action,
      resource.type,
      resource.id,
      resource.service,
    ])
    const known = this.#prepared.get(key)
    if (known !== undefined) return known
    const prepared = this.#make(principal, action, resource)
    if (typeof prepared !== 'string') this.#prepared.set(key, prepared)
    return prepared
  }

  #make(
    principal: PolicyRequest['principal'],
    action: PolicyAction,
    resource: PolicyRequest['resource'],
  ): PreparedRequest | string {
    const principalSide = principalEntity(principal)
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
    const reads = unionOfReads(policies.map((policy) => policy.reads))
    const names = reads.everything ? null : reads.names
    const args = tool?.arguments.type ?? null
    const readArgs = args === null ? null : projectRecord(args, names)
    const schema = requestSchema(action, principal.type, resource.type, readArgs, names)
    const entities = [principalSide.json, resourceSide.json]
    const entitiesText = canonicalJson(entities)
    return {
      principal: principalSide,
      resource: resourceSide,
      entities,
      entitiesText,
      entitiesHash: sha256(entitiesText),
      schemaHash: this.vocabulary.schemaHash(tool),
      policies,
      byId: new Map(policies.map((policy) => [policy.id, policy])),
      policiesKey: sha256(policies.map(({ id, shown }) => `${id} ${shown.textHash}`).join('\n')),
      reads,
      args,
      readArgs,
      schema,
      schemaKey: sha256(JSON.stringify(schema)),
      misfits: policies.filter(({ id }) => this.#misfits.has(id)).map(({ id }) => id),
    }
  }
}
