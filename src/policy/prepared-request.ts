import { canonicalJson, sha256, type Digest } from '../kernel/index.ts'
import type { CedarRecord } from './argument-type.ts'
import { readsKey, readsOf, unionOfReads, type AttributeReads } from './attribute-reads.ts'
import { contextType, requestSchema } from './cedar-schema.ts'
import type { EntityJson, SchemaJson } from './cedar.ts'
import type { PolicyAction, PolicyRequest } from './decision.ts'
import type { ParsedPolicy } from './policy-set.ts'
import type { ToolFacts } from './facts/tool-facts.ts'
import { partOfType, type SchemaType } from './read-part.ts'
import type { RequestEntity } from './request-entities.ts'
import type { KnownRequest } from './static-outcome.ts'
import type { KnownTool } from './tool-vocabulary.ts'
import { mightBeAllowed } from './visibility.ts'

/** What deciding needs of a kind of request, made when the first such request is decided. */
export interface JudgingParts {
  readonly entities: EntityJson[]
  /** RFC 8785 text of `entities`. */
  readonly entitiesText: string
  readonly entitiesHash: Digest
  /** Digest of the schema that policies about such a request are validated against. */
  readonly schemaHash: Digest
  /** RFC 8785 texts of the principal's and the resource's id. */
  readonly principalText: string
  readonly resourceText: string
  readonly byId: ReadonlyMap<string, ParsedPolicy>
  /** Key of the content of the policies in scope. */
  readonly policiesKey: string
  /** What those policies could read of the context. */
  readonly reads: AttributeReads
  /** Type of `context.args`; `null` where the action has none. */
  readonly args: CedarRecord | null
  /** How `context.facts` is derived; `null` where the action has none. */
  readonly facts: ToolFacts | null
  /** Type of the whole context. */
  readonly context: SchemaType
  readonly schemaKey: string
  /** The schema of the part of the context that the policies could read. Built anew at each call. */
  readonly schema: () => SchemaJson<string>
  /** Digest of everything that Cedar's answer depends on besides that part of the context. */
  readonly key: Digest
  readonly readsTime: boolean
}

/** Everything about a kind of request that does not depend on its arguments and circumstances. */
export class PreparedRequest {
  readonly principal: RequestEntity
  readonly action: PolicyAction
  readonly resource: RequestEntity
  /** The policies whose scope matches, in order. */
  readonly policies: readonly ParsedPolicy[]
  /** Ids of policies in scope, and of bindings of facts, that do not fit the tool; any one of them means deny. */
  readonly misfits: readonly string[]
  /** Whether the principal belongs to another namespace than the resource. */
  readonly isForeign: boolean
  /** Everything about the request but its context. */
  readonly known: KnownRequest
  readonly #tool: KnownTool | null
  readonly #schemaHash: () => Digest
  readonly #types: {
    readonly principal: PolicyRequest['principal']['type']
    readonly resource: PolicyRequest['resource']['type']
  }
  #judging: JudgingParts | undefined
  #visible: boolean | undefined

  constructor(
    request: Pick<PolicyRequest, 'principal' | 'action' | 'resource'>,
    parts: Pick<PreparedRequest, 'principal' | 'resource' | 'policies' | 'misfits'>,
    tool: KnownTool | null,
    schemaHash: () => Digest,
  ) {
    this.principal = parts.principal
    this.action = request.action
    this.resource = parts.resource
    this.policies = parts.policies
    this.misfits = parts.misfits
    this.isForeign = request.principal.namespace !== null && request.principal.namespace !== request.resource.namespace
    const { namespace } = request.principal
    this.known = { principal: this.principal.scoped, namespace, action: this.action, resource: this.resource.scoped }
    this.#tool = tool
    this.#schemaHash = schemaHash
    this.#types = { principal: request.principal.type, resource: request.resource.type }
  }

  /** The parts that listing does without. */
  judging(): JudgingParts {
    this.#judging ??= this.#prepare()
    return this.#judging
  }

  /** Whether some arguments in some circumstances might be allowed; see `mightBeAllowed`. */
  isVisible(): boolean {
    this.#visible ??= !this.isForeign && this.misfits.length === 0 && mightBeAllowed(this.known, this.policies)
    return this.#visible
  }

  #prepare(): JudgingParts {
    const { principal, resource, policies, action } = this
    const types = this.#types
    const reads = unionOfReads(policies.map((policy) => policy.reads))
    const args = this.#tool?.arguments.type ?? null
    const facts = this.#tool?.facts ?? null
    const context = contextType(action, args === null || facts === null ? null : { args, facts: facts.type })
    const entities = [principal.json, resource.json]
    const entitiesText = canonicalJson(entities)
    const schemaParts = [action, types.principal, types.resource, this.#tool?.typeKey ?? null, readsKey(reads)]
    const policiesKey = sha256(policies.map(({ id, shown }) => `${id} ${shown.textHash}`).join('\n'))
    const schemaKey = sha256(JSON.stringify(schemaParts))
    return {
      entities,
      entitiesText,
      entitiesHash: sha256(entitiesText),
      schemaHash: this.#schemaHash(),
      principalText: canonicalJson(principal.uid),
      resourceText: canonicalJson(resource.uid),
      byId: new Map(policies.map((policy) => [policy.id, policy])),
      policiesKey,
      reads,
      args,
      facts,
      context,
      schemaKey,
      schema: () => requestSchema(action, types.principal, types.resource, partOfType(context, reads)),
      key: sha256(JSON.stringify([policiesKey, schemaKey, principal.uid, resource.uid, entitiesText])),
      readsTime: readsOf(reads, 'time') !== null,
    }
  }
}
