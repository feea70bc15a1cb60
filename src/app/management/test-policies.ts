import type { PolicyCase } from '../../contract/index.ts'
import { canonicalJson, isJsonObject, type JsonObject, type JsonValue } from '../../kernel/index.ts'
import {
  mergeObligations,
  parseObligations,
  type PolicyDecision,
  type PolicyRequest,
  type UsageFigures,
} from '../../policy/index.ts'

/** What a case needs to know of the namespace. */
export interface TestedNamespace {
  readonly name: string
  /** Service of each tool that there is, by the tool's name. */
  readonly services: ReadonlyMap<string, string>
  /** Groups of each agent that there is, by the agent's name. */
  readonly groups: ReadonlyMap<string, readonly string[]>
  /** Unix milliseconds for cases that name no time. */
  readonly nowMs: number
}

/** How one case came out. `problems` is empty where it passed. */
export interface PolicyCaseResult {
  readonly name: string
  readonly problems: readonly string[]
  /** Null where the case asks for an agent or a tool that is not there, and so was not decided. */
  readonly decided: JsonObject | null
}

/** Decides every case and compares with what it expects. A case that cannot be decided fails. */
export function testPolicies(
  cases: readonly PolicyCase[],
  namespace: TestedNamespace,
  decide: (request: PolicyRequest) => PolicyDecision,
): PolicyCaseResult[] {
  return cases.map((one) => {
    const service = namespace.services.get(one.tool)
    if (service === undefined) return undecided(one, `There is no tool ${one.tool} in ${namespace.name}.`)
    const groups = one.groups ?? namespace.groups.get(one.agent)
    if (groups === undefined)
      return undecided(one, `There is no agent ${one.agent} in ${namespace.name}: add it, or say its groups here.`)
    const decision = decide(requestOf(one, namespace, service, groups))
    const rules = decision.determining.map(({ id }) => id)
    return {
      name: one.name,
      problems: [...problemsOf(one, decision)],
      decided: {
        effect: decision.effect,
        basis: decision.basis,
        rules,
        obligations: [...decision.obligations],
        errors: decision.errors.map((e) => e.message),
      },
    }
  })
}

function undecided({ name }: PolicyCase, problem: string): PolicyCaseResult {
  return { name, problems: [problem], decided: null }
}

function requestOf(
  one: PolicyCase,
  namespace: TestedNamespace,
  service: string,
  groups: readonly string[],
): PolicyRequest {
  return {
    principal: { type: 'agent', id: `${namespace.name}/${one.agent}`, namespace: namespace.name, groups },
    action: 'call',
    resource: { type: 'Tool', id: `${namespace.name}/${one.tool}`, namespace: namespace.name, service },
    arguments: one.args,
    context: {
      authentication: { method: 'api-key', senderConstrained: one.senderConstrained },
      door: one.door,
      operation: '',
      labels: one.labels,
      approved: one.approved,
      usage: { agent: usageFigures(one.usage.agent), tool: usageFigures(one.usage.tool) },
      timeMs: one.at === undefined ? namespace.nowMs : Date.parse(one.at),
      address: one.address,
    },
  }
}

function usageFigures(named: PolicyCase['usage']['agent']): UsageFigures {
  const { calls_minute: callsMinute, calls_day: callsDay, bytes_out_day: bytesOutDay, spend_day: spendDay } = named
  return { callsMinute, callsDay, bytesOutDay, spendDay, running: named.running }
}

function* problemsOf(one: PolicyCase, decision: PolicyDecision): Iterable<string> {
  const { effect, basis, determining, errors, obligations } = decision
  const rules = determining.map(({ id }) => id)
  const by = rules.length === 0 ? basis : rules.join(', ')
  if (one.expect !== undefined && effect !== one.expect) yield `expected ${one.expect}, decided ${effect} (${by})`
  // An error denies: a case that expects a denial must not pass because something in it is broken.
  for (const { message } of errors) if (message !== one.error) yield `could not be decided: ${message}`
  if (one.error !== undefined && !errors.some(({ message }) => message === one.error))
    yield `expected that it cannot be decided: "${one.error}"`
  if (one.basis !== undefined && one.basis !== basis) yield `expected ${one.basis}, decided by ${by}`
  if (one.rule !== undefined && !rules.includes(one.rule)) yield `expected the rule ${one.rule}, decided by ${by}`
  if (one.notRule !== undefined && rules.includes(one.notRule)) yield `expected not to be decided by ${one.notRule}`
  if (one.obligations !== undefined) yield* obligationProblems(one.obligations, obligations)
  const reasons = determining.map(({ reason }) => reason).filter((reason) => reason !== null)
  yield* factProblems(one, decision)
  if (one.reason !== undefined && !reasons.includes(one.reason))
    yield `expected the reason "${one.reason}", got ${reasons.length === 0 ? 'none' : reasons.map((text) => `"${text}"`).join(', ')}`
}

/** Facts that were expected and came out otherwise. They are read where policies read them: in the engine's input. */
function* factProblems({ facts = {} }: PolicyCase, { engineInput }: PolicyDecision): Iterable<string> {
  const input = engineInput === '' ? {} : (JSON.parse(engineInput) as { context?: { facts?: JsonObject } })
  const derived = input.context?.facts ?? {}
  for (const [name, expected] of Object.entries(facts)) {
    const got = Object.hasOwn(derived, name) ? derived[name] : undefined
    if (got === undefined) yield `expected the fact ${name}, there is none`
    else if (!agrees(got, expected))
      yield `expected the fact ${name} to be ${canonicalJson(expected)}, got ${canonicalJson(got)}`
  }
}

/** Whether a fact is as expected: a set in any order, a record in the members that are expected. */
function agrees(got: JsonValue, expected: JsonValue): boolean {
  if (Array.isArray(got) && Array.isArray(expected)) {
    const wanted = new Set(expected.map((item) => canonicalJson(item)))
    return wanted.size === got.length && got.every((item) => wanted.has(canonicalJson(item)))
  }
  if (!isJsonObject(got) || !isJsonObject(expected)) return got === expected
  return Object.entries(expected).every(
    ([name, member]) => Object.hasOwn(got, name) && agrees(got[name] ?? null, member ?? null),
  )
}

/** Compares what is demanded and not how it is written: two permits may share what one case says at once. */
function* obligationProblems(expected: string, demanded: readonly string[]): Iterable<string> {
  const parsed = expected === '' ? null : parseObligations(expected)
  if (parsed?.ok === false) yield `the obligations of the case cannot be read: ${parsed.fault.message}`
  else if (
    JSON.stringify(mergeObligations(expected === '' ? [] : [expected])) !== JSON.stringify(mergeObligations(demanded))
  )
    yield `expected the obligations "${expected}", got "${demanded.join('; ')}"`
}
