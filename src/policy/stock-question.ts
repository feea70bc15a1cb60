import { canonicalJson, digestJson, isJsonObject, sha256, type Digest, type JsonObject } from '../kernel/index.ts'
import { validationSchema } from './cedar-schema.ts'
import { LruMap } from './lru-map.ts'
import { parsePolicies } from './parse-policies.ts'
import type { PolicySource } from './policy-engine.ts'
import type { PolicyBody } from './policy-set.ts'
import { ToolVocabulary } from './tool-vocabulary.ts'

/** A tool as it was when the decision was made. */
export interface StockTool {
  readonly namespace: string
  readonly name: string
  readonly service: string
  readonly inputSchema: JsonObject
}

/** The policies of then. */
export interface RecordedPolicies {
  readonly sources: readonly PolicySource[]
  /** The platform's own, of the version of then. */
  readonly builtIn: string
}

/** One policy of the set, word for word. */
export interface StockPolicy {
  /** As records name it: `file#name` or `file#line`. */
  readonly id: string
  /** Its `@id`, by which the official command line tool calls it; `null`: that one calls it `policy` and its place. */
  readonly name: string | null
  readonly effect: 'permit' | 'forbid'
  readonly text: string
  readonly textHash: Digest
}

/** Everything that stock Cedar needs to make a decision again, and the digests that a record names it by. */
export interface StockQuestion {
  /** The platform's own policies first, then the files in their order. */
  readonly policies: readonly StockPolicy[]
  readonly policySetHash: Digest
  /** In Cedar's JSON form; `null` where the tool, and so the schema, is not known any more. */
  readonly schema: JsonObject | null
  readonly schemaHash: Digest | null
  readonly entities: readonly JsonObject[]
  readonly entitiesHash: Digest
  readonly principal: StockId
  readonly action: StockId
  readonly resource: StockId
  readonly context: JsonObject
}

/** An entity's type and id. */
export interface StockId {
  readonly type: string
  readonly id: string
}

/**
 * Puts a question for stock Cedar together from what was recorded: the files of the policy set, the tool, and the text
 * of the engine's input. Decides nothing. `null` where the input is of no form known here, or the policies cannot be
 * read; whether they are the recorded ones is for the caller to compare, by the digests.
 */
export function stockQuestion(
  { sources, builtIn }: RecordedPolicies,
  tool: StockTool | null,
  engineInput: string,
): StockQuestion | null {
  const input: unknown = JSON.parse(engineInput)
  if (!isJsonObject(input)) return null
  const { entities, context } = input
  const [principal, action, resource] = [input.principal, input.action, input.resource].map(idOf)
  if (principal == null || action == null || resource == null) return null
  if (!Array.isArray(entities) || !entities.every(isJsonObject) || !isJsonObject(context)) return null
  const { set, problems } = parsePolicies(sources, new LruMap<PolicyBody>(Number.MAX_SAFE_INTEGER), builtIn)
  if (problems.some(({ severity }) => severity === 'error')) return null
  const schema = schemaOf(tool, set.facts, action.id)
  return {
    policies: set.policies.map(({ id, text, textHash, json }) => ({
      id,
      name: json.annotations?.id ?? null,
      effect: json.effect,
      text,
      textHash,
    })),
    policySetHash: set.hash,
    schema,
    schemaHash: schema === null ? null : digestJson(schema),
    entities,
    entitiesHash: sha256(canonicalJson(entities)),
    principal,
    action,
    resource,
    context,
  }
}

function schemaOf(
  tool: StockTool | null,
  facts: ReturnType<typeof parsePolicies>['set']['facts'],
  action: string,
): JsonObject | null {
  const nothing = { type: 'Record', attributes: {} } as const
  if (action !== 'call') return JSON.parse(canonicalJson(validationSchema(nothing))) as JsonObject
  if (tool === null) return null
  const { namespace, name, service, inputSchema } = tool
  const { tools } = new ToolVocabulary({ namespace, tools: [{ name, service, inputSchema }] }, facts)
  const known = tools.get(`${namespace}/${name}`)
  if (known === undefined) return null
  return JSON.parse(canonicalJson(validationSchema(known.arguments.type, known.facts.type))) as JsonObject
}

function idOf(value: unknown): StockId | null {
  if (!isJsonObject(value)) return null
  const { type, id } = value
  return typeof type === 'string' && typeof id === 'string' ? { type, id } : null
}
