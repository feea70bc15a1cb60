import { digestJson, nearestName, sha256, type Digest } from '../kernel/index.ts'
import { argumentType, type ArgumentType } from './argument-type.ts'
import { validationSchema } from './cedar-schema.ts'
import { noFacts, type FactBinding, type FactsFile } from './facts/facts-file.ts'
import { bindFacts, noToolFacts, type ToolFacts } from './facts/tool-facts.ts'
import { outputNames } from './output-names.ts'
import type { PolicyProblem, PolicyVocabulary } from './policy-engine.ts'
import type { PolicyScope } from './policy-scope.ts'

/** One tool as policies see it. */
export interface KnownTool {
  /** `namespace/tool`. */
  readonly id: string
  readonly service: string
  readonly arguments: ArgumentType
  readonly facts: ToolFacts
  /** Names of members of its results; `null` where it does not say. */
  readonly outputNames: ReadonlySet<string> | null
  /** Equal for tools whose arguments and facts have the same types. */
  readonly typeKey: string
}

/** The vocabulary of one namespace, with the facts that a policy set binds to its tools, made ready for look-ups. */
export class ToolVocabulary {
  readonly namespace: string
  readonly tools: ReadonlyMap<string, KnownTool>
  /** Ids `namespace/service`. */
  readonly services: ReadonlySet<string>
  readonly agents: ReadonlySet<string> | null
  readonly groups: ReadonlySet<string> | null
  readonly channels: ReadonlySet<string> | null
  readonly labels: ReadonlySet<string> | null
  /** Bindings that name what is not there, or what their extractor cannot read. */
  readonly factProblems: readonly PolicyProblem[]
  readonly #byService = new Map<string, KnownTool[]>()
  readonly #schemaHashes = new Map<string, Digest>()

  constructor(vocabulary: PolicyVocabulary, facts: FactsFile = noFacts) {
    const { namespace } = vocabulary
    const qualified = (name: string): string => `${namespace}/${name}`
    this.namespace = namespace
    const tools = new Map<string, KnownTool>()
    const bindings = Map.groupBy(facts.bindings, ({ tool }) => tool)
    const problems: PolicyProblem[] = []
    const services = new Set((vocabulary.services ?? []).map(qualified))
    for (const { name, service, inputSchema, outputSchema } of vocabulary.tools) {
      const seen = argumentType(inputSchema)
      const own = bindings.get(name)
      const report = (problem: PolicyProblem): void => void problems.push(problem)
      const bound = own === undefined ? noToolFacts : bindFacts(own, { name, arguments: seen }, facts.currency, report)
      bindings.delete(name)
      const tool: KnownTool = {
        id: qualified(name),
        service: qualified(service),
        arguments: seen,
        facts: bound,
        outputNames: outputNames(outputSchema),
        typeKey: sha256(JSON.stringify([seen.type, bound.type])),
      }
      tools.set(tool.id, tool)
      services.add(tool.service)
      const siblings = this.#byService.get(tool.service)
      if (siblings === undefined) this.#byService.set(tool.service, [tool])
      else siblings.push(tool)
    }
    this.tools = tools
    const names = vocabulary.tools.map(({ name }) => name)
    this.factProblems = [...problems, ...[...bindings.values()].flatMap((unknown) => unknownTool(unknown, names))]
    this.services = services
    this.agents = vocabulary.agents === undefined ? null : new Set(vocabulary.agents.map(qualified))
    this.labels = vocabulary.labels === undefined ? null : new Set(vocabulary.labels)
    this.channels = vocabulary.channels === undefined ? null : new Set(vocabulary.channels)
    this.groups = vocabulary.groups === undefined ? null : new Set(vocabulary.groups.map(qualified))
  }

  /** The tools that a policy with this scope can apply to. */
  toolsInScope(scope: PolicyScope): Iterable<KnownTool> {
    if (scope.actions !== null && !scope.actions.has('call')) return []
    const { type, entity, exact } = scope.resource
    if (type !== null && type !== 'Tool') return []
    if (entity === null) return this.tools.values()
    if (entity.type === 'Tool') {
      const tool = this.tools.get(entity.id)
      return tool === undefined ? [] : [tool]
    }
    if (exact) return []
    if (entity.type === 'Service') return this.#byService.get(entity.id) ?? []
    return entity.type === 'Namespace' && entity.id === this.namespace ? this.tools.values() : []
  }

  /** Digest of the schema for requests about a tool, or (for `null`) about anything that is not a tool. */
  schemaHash(tool: KnownTool | null): Digest {
    const key = tool?.typeKey ?? ''
    const known = this.#schemaHashes.get(key)
    if (known !== undefined) return known
    const hash = digestJson(validationSchema(tool?.arguments.type ?? noToolFacts.type, tool?.facts.type))
    this.#schemaHashes.set(key, hash)
    return hash
  }
}

function unknownTool([first]: readonly FactBinding[], names: readonly string[]): PolicyProblem[] {
  if (first === undefined) return []
  const near = nearestName(first.tool, names)
  const hint = near === null ? null : `did you mean "${near}"?`
  return [first.problemAt(null, `there is no tool "${first.tool}" to bind a fact to`, hint)]
}
