import { canonicalJson, sha256, type Digest } from '../kernel/index.ts'
import type { CedarRecord } from './argument-type.ts'
import { unionOfReads, type AttributeReads } from './attribute-reads.ts'
import { projectRecord, requestSchema } from './cedar-schema.ts'
import type { EntityJson, SchemaJson } from './cedar.ts'
import type { PolicyAction, PolicyRequest } from './decision.ts'
import type { ParsedPolicy } from './policy-set.ts'
import type { RequestEntity } from './request-entities.ts'
import type { KnownTool } from './tool-vocabulary.ts'

/** What deciding needs of a kind of request, made when the first such request is decided. */
export interface JudgingParts {
  readonly entities: EntityJson[]
  /** RFC 8785 text of `entities`. */
  readonly entitiesText: string
  readonly entitiesHash: Digest
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
  readonly schemaKey: string
  /** The schema of the part of the context that the policies could read. Built anew at each call. */
  readonly schema: () => SchemaJson<string>
}

/** Everything about a kind of request that does not depend on its arguments and circumstances. */
export class PreparedRequest {
  readonly principal: RequestEntity
  readonly action: PolicyAction
  readonly resource: RequestEntity
  /** The policies whose scope matches, in order. */
  readonly policies: readonly ParsedPolicy[]
  /** Ids of policies in scope that do not fit the tool; any one of them means deny. */
  readonly misfits: readonly string[]
  readonly schemaHash: Digest
  readonly #tool: KnownTool | null
  readonly #types: {
    readonly principal: PolicyRequest['principal']['type']
    readonly resource: PolicyRequest['resource']['type']
  }
  #judging: JudgingParts | undefined

  constructor(
    request: Pick<PolicyRequest, 'principal' | 'action' | 'resource'>,
    parts: Pick<PreparedRequest, 'principal' | 'resource' | 'policies' | 'misfits' | 'schemaHash'>,
    tool: KnownTool | null,
  ) {
    this.principal = parts.principal
    this.action = request.action
    this.resource = parts.resource
    this.policies = parts.policies
    this.misfits = parts.misfits
    this.schemaHash = parts.schemaHash
    this.#tool = tool
    this.#types = { principal: request.principal.type, resource: request.resource.type }
  }

  /** The parts that listing does without. */
  judging(): JudgingParts {
    this.#judging ??= this.#prepare()
    return this.#judging
  }

  #prepare(): JudgingParts {
    const { principal, resource, policies, action } = this
    const types = this.#types
    const reads = unionOfReads(policies.map((policy) => policy.reads))
    const names = reads.everything ? null : reads.names
    const args = this.#tool?.arguments.type ?? null
    const entities = [principal.json, resource.json]
    const entitiesText = canonicalJson(entities)
    const schemaParts = [
      action,
      types.principal,
      types.resource,
      this.#tool?.typeKey ?? null,
      names === null ? null : [...names].sort(),
    ]
    return {
      entities,
      entitiesText,
      entitiesHash: sha256(entitiesText),
      principalText: canonicalJson(principal.uid),
      resourceText: canonicalJson(resource.uid),
      byId: new Map(policies.map((policy) => [policy.id, policy])),
      policiesKey: sha256(policies.map(({ id, shown }) => `${id} ${shown.textHash}`).join('\n')),
      reads,
      args,
      schemaKey: sha256(JSON.stringify(schemaParts)),
      schema: () =>
        requestSchema(
          action,
          types.principal,
          types.resource,
          args === null ? null : projectRecord(args, names),
          names,
        ),
    }
  }
}
