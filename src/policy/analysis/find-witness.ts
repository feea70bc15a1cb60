import type { JsonObject, JsonValue } from '../../kernel/index.ts'
import type { PolicyDecision, PolicyRequest } from '../decision.ts'
import type { NamespacePolicies } from '../namespace-policies.ts'
import type { ParsedPolicy } from '../policy-set.ts'
import type { KnownTool } from '../tool-vocabulary.ts'
import type { AccessAnswer, AccessObstacle, AccessQuestion } from './access-answer.ts'
import { argumentsOf, schemaFormula, withValue } from './arguments.ts'
import { circumstancesOf } from './circumstances.ts'
import type { Domains } from './domain.ts'
import type { Formula } from './formula.ts'
import { allowedBy, canHold, isSpent, satisfy, workOfAnswer, type SearchBudget } from './satisfy.ts'
import { appliesWhen, everyCall, scopeOfCall, textLength, type CallScope } from './scope-of-call.ts'

/** How many calls are put to the engine. */
const maxCalls = 1_000
/** How many choices in conditions are looked into, for all permits together. */
const maxSteps = 50_000

/**
 * Looks for a call that the policies allow: solves the conditions of each permit in scope together with the opposite of
 * every forbid, and has the engine decide what comes out. `yes` is always one that the engine allowed. `no` is a proof
 * over everything that conditions can say of single attributes. What relates attributes to each other, arithmetic and
 * facts are tried and not proven.
 */
export function findWitness(
  question: AccessQuestion,
  inForce: NamespacePolicies,
  decide: (request: PolicyRequest) => PolicyDecision,
): AccessAnswer {
  const { namespace } = inForce.vocabulary
  const tool = inForce.vocabulary.tools.get(`${namespace}/${question.tool}`)
  const scope = tool === undefined ? null : scopeOfCall(question.principal, tool, inForce)
  const nothing = { steps: 0, tried: 0, answer: 'no' } as const
  if (tool === undefined || scope === null)
    return { ...nothing, because: [{ permit: null, why: 'no-permit', forbids: [] }] }
  if (scope.misfits.length > 0)
    return { ...nothing, because: [{ permit: null, why: 'misfit', forbids: scope.misfits }] }

  const permits = scope.policies.filter(({ json }) => json.effect === 'permit')
  const forbids = scope.policies.filter(({ json }) => json.effect === 'forbid')
  const given = [everyCall, schemaFormula(question.inputSchema)]
  const never = forbids.map((forbid) => appliesWhen(forbid, scope))
  const search = new WitnessSearch(question, tool, scope, decide)
  const because: AccessObstacle[] = []
  const budget: SearchBudget = { left: maxSteps, work: { left: workOfAnswer } }
  const length = textLength(scope.policies)
  const stepsTaken = (): number => maxSteps - Math.max(0, budget.left)
  for (const permit of permits) {
    budget.work.left -= length
    if (isSpent(budget)) break
    const end = satisfy([...given, ...allowedBy(appliesWhen(permit, scope), never)], budget, (domains) =>
      search.tries(domains),
    )
    const steps = stepsTaken()
    if (search.found !== null) return { answer: 'yes', steps, tried: search.tried, ...search.found }
    if (end.complete && end.offered === 0) because.push(obstacle(permit, forbids, scope, given, budget))
  }
  if (because.length === permits.length) {
    const none: AccessObstacle = { permit: null, why: 'no-permit', forbids: [] }
    return { answer: 'no', steps: stepsTaken(), tried: search.tried, because: permits.length === 0 ? [none] : because }
  }
  return { answer: 'unknown', steps: stepsTaken(), tried: search.tried, bounds: { steps: maxSteps, calls: maxCalls } }
}

/** Which forbids a permit that can apply runs into: those without which it could let somebody through, or all. */
function obstacle(
  permit: ParsedPolicy,
  forbids: readonly ParsedPolicy[],
  scope: CallScope,
  given: readonly Formula[],
  budget: SearchBudget,
): AccessObstacle {
  const applies = appliesWhen(permit, scope)
  if (canHold([...given, applies], budget) === 'no') return { permit: permit.id, why: 'never-true', forbids: [] }
  const alone = forbids.filter(
    (forbid) =>
      !isSpent(budget) && canHold([...given, ...allowedBy(applies, [appliesWhen(forbid, scope)])], budget) === 'no',
  )
  const against = alone.length > 0 ? alone : forbids.filter(({ file }) => file !== 'builtin')
  return { permit: permit.id, why: 'always-forbidden', forbids: against.map(({ id }) => id) }
}

class WitnessSearch {
  found: { readonly request: PolicyRequest; readonly decision: PolicyDecision } | null = null
  tried = 0
  readonly #question: AccessQuestion
  readonly #tool: KnownTool
  readonly #scope: CallScope
  readonly #decide: (request: PolicyRequest) => PolicyDecision

  constructor(
    question: AccessQuestion,
    tool: KnownTool,
    scope: CallScope,
    decide: (request: PolicyRequest) => PolicyDecision,
  ) {
    this.#question = question
    this.#tool = tool
    this.#scope = scope
    this.#decide = decide
  }

  /** Whether the search is over: something was found, or enough was tried. */
  tries(domains: Domains): boolean {
    const { arguments: ordinary, context } = this.#question
    const args = argumentsOf(domains, ordinary, this.#tool.arguments.type)
    const circumstances = circumstancesOf(domains, context)
    if (args === null || circumstances === null) return false
    if (this.#isAllowed(args, circumstances)) return true
    for (const other of variants(args, domains, this.#tool)) {
      if (this.tried >= maxCalls) return true
      if (this.#isAllowed(other, circumstances)) return true
    }
    return this.tried >= maxCalls
  }

  #isAllowed(args: JsonObject, context: PolicyRequest['context']): boolean {
    if (!this.#question.fits(args)) return false
    this.tried += 1
    const { principal } = this.#question
    const request: PolicyRequest = {
      principal,
      action: 'call',
      resource: this.#scope.resource,
      arguments: args,
      context,
    }
    const decision = this.#decide(request)
    if (decision.effect !== 'allow') return false
    this.found = { request, decision }
    return true
  }
}

/** How a text that a policy compares a fact with can stand in an argument: as it is, in an address, in a URL, as a path. */
const spellings: readonly ((text: string) => string)[] = [
  (text) => text,
  (text) => `person@${text}`,
  (text) => `https://${text}/`,
  (text) => `https://example.com${text}`,
  (text) => `/${text}`,
  (text) => `${text}/file`,
  (text) => `SELECT 1 FROM ${text}`,
]

/** Where policies read facts: the same call with arguments from which such facts could come. */
function* variants(args: JsonObject, domains: Domains, tool: KnownTool): Iterable<JsonObject> {
  const wanted = new Set<string>()
  let readsFacts = false
  for (const [path, { text, holds, within, like }] of domains) {
    if (!path.startsWith('facts.')) continue
    readsFacts = true
    for (const value of [
      text,
      ...holds,
      ...within.flat(),
      ...like.map((pattern) => pattern.map((piece) => piece ?? 'x').join('')),
    ])
      if (typeof value === 'string') wanted.add(value)
  }
  if (!readsFacts) return
  for (const [name, type] of Object.entries(tool.arguments.type.attributes)) {
    const isList = type.type === 'Set' && type.element.type === 'String'
    if (type.type !== 'String' && !isList) continue
    for (const text of ['', ...wanted])
      for (const spell of spellings) {
        const value: JsonValue = isList ? (text === '' ? [] : [spell(text)]) : spell(text)
        yield withValue(args, [name], value)
      }
  }
}
