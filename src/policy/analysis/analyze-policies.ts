import { builtInFile } from '../built-in-policies.ts'
import type { PolicyRequest } from '../decision.ts'
import type { NamespacePolicies } from '../namespace-policies.ts'
import { halfMatches, policyScope } from '../policy-scope.ts'
import type { ParsedPolicy } from '../policy-set.ts'
import { principalEntity } from '../request-entities.ts'
import { outcome, staticOutcome } from '../static-outcome.ts'
import type { KnownTool } from '../tool-vocabulary.ts'
import { toolAccess } from '../tool-access.ts'
import type { Formula } from './formula.ts'
import type { FindingKind, PolicyAnalysis, PolicyFinding } from './policy-analysis.ts'
import { allowedBy, canHold, isSpent, workOfAnswer } from './satisfy.ts'
import { appliesWhen, everyCall, scopeOfCall, textLength, type CallScope } from './scope-of-call.ts'

/** Pairs of an agent and a tool that are looked at: for one policy, and for all of them. */
const maxPairs = { policy: 100, all: 20_000 }

/** Choices in conditions that are looked into: for one question, and for all of them. */
const maxSteps = { question: 2_000, all: 100_000 }

/** Pairs that access is told of. */
const maxAccessPairs = 20_000

/** Characters of policies that are read for that. */
const maxAccessText = 4 * workOfAnswer

/**
 * Looks through the policies in force for what their author cannot have meant. Says only what it can prove of calls by
 * the agents that there are; what it says nothing of may still be wrong. Off the hot path.
 */
export function analyzePolicies(
  agents: readonly PolicyRequest['principal'][],
  inForce: NamespacePolicies,
): PolicyAnalysis {
  const { set, vocabulary } = inForce
  const tools = [...vocabulary.tools.values()]
  const own = set.policies.filter(({ file }) => file !== builtInFile)
  const alike = representatives(agents, own)
  const cutShort: string[] = []
  const findings: PolicyFinding[] = []
  const questions = new Questions()
  for (const policy of own) {
    const found = aboutPolicy(policy, alike, inForce, questions)
    findings.push(...found.findings)
    if (found.cutShort) cutShort.push(policy.id)
  }
  if (accessIsTold(alike, tools, inForce)) findings.push(...aboutAccess(agents, alike, inForce))
  else cutShort.push('access')
  return { findings, agents: agents.length, tools: tools.length, policies: own.length, cutShort }
}

/** Whether what every agent may do can be told without holding up everybody else for long. */
function accessIsTold(
  agents: readonly PolicyRequest['principal'][],
  tools: readonly KnownTool[],
  inForce: NamespacePolicies,
): boolean {
  if (agents.length * tools.length > maxAccessPairs) return false
  let left = maxAccessText
  for (const agent of agents)
    for (const tool of tools) {
      left -= textLength(scopeOfCall(agent, tool, inForce)?.policies ?? [])
      if (left < 0) return false
    }
  return true
}

/** One agent of those that no policy tells apart: by name, or by a group. */
function representatives(
  agents: readonly PolicyRequest['principal'][],
  policies: readonly ParsedPolicy[],
): PolicyRequest['principal'][] {
  const named = new Set(policies.flatMap(({ literals }) => literals.map(({ type, id }) => `${type} ${id}`)))
  const seen = new Map<string, PolicyRequest['principal']>()
  for (const agent of agents) {
    const groups = agent.groups.filter((group) => named.has(`AgentGroup ${agent.namespace}/${group}`)).sort()
    const key = JSON.stringify([named.has(`Agent ${agent.id}`) ? agent.id : null, groups])
    if (!seen.has(key)) seen.set(key, agent)
  }
  return [...seen.values()]
}

function aboutPolicy(
  policy: ParsedPolicy,
  agents: readonly PolicyRequest['principal'][],
  inForce: NamespacePolicies,
  questions: Questions,
): { findings: PolicyFinding[]; cutShort: boolean } {
  const about = (kind: FindingKind, message: string, others: readonly string[] = []): PolicyFinding => ({
    kind,
    policyId: policy.id,
    subject: null,
    message,
    others,
  })
  const scope = policyScope(policy.json)
  // Only calls of tools by agents are known well enough: there is no list of all users, resources and prompts here.
  if (scope.actions !== null && !scope.actions.has('call')) return { findings: [], cutShort: false }
  const tools = [...inForce.vocabulary.toolsInScope(scope)]
  const pairs = pairsOf(policy, agents, tools, inForce, questions)
  const findings: PolicyFinding[] = []
  const isForCallsOnly = scope.actions?.size === 1
  if (pairs.found.length === 0) {
    if (isForCallsOnly && !pairs.cutShort)
      findings.push(
        about(
          'no-subject',
          tools.length === 0 ? 'No tool that there is is in its scope.' : 'No agent that there is is in its scope.',
        ),
      )
    return { findings, cutShort: pairs.cutShort }
  }
  const misfit = pairs.found.find(({ misfits }) => misfits.includes(policy.id))
  if (misfit !== undefined)
    return {
      findings: [about('misfit', `It does not fit ${misfit.resource.id}, and denies every call in its scope.`)],
      cutShort: false,
    }
  const failing = pairs.found.find(({ known }) => (staticOutcome(policy.json, known) & outcome.error) !== 0)
  if (failing !== undefined)
    findings.push(
      about(
        'can-fail',
        'Its condition can fail to be evaluated, by arithmetic that overflows or what cannot be read: the call is denied then.',
      ),
    )
  if (!isForCallsOnly) return { findings, cutShort: pairs.cutShort }
  const unanswered = questions.unanswered
  findings.push(...aboutEffect(policy, pairs.found, pairs.cutShort, about, questions))
  return { findings, cutShort: pairs.cutShort || questions.unanswered > unanswered }
}

/** Asks whether conditions can hold, within bounds. */
class Questions {
  /** How many were not answered within the bounds. */
  unanswered = 0
  #left = maxSteps.all
  readonly #work = { left: workOfAnswer }
  #pairsLeft = maxPairs.all

  /** Whether one more pair of an agent and a tool may be looked at for a policy. */
  mayLook(policy: ParsedPolicy): boolean {
    this.#pairsLeft -= 1
    this.#work.left -= policy.text.length
    return this.#pairsLeft >= 0 && this.#work.left >= 0
  }

  /** False only where it is proven. `policies` are those whose conditions `formulas` reads. */
  mayHold(policies: readonly ParsedPolicy[], formulas: () => readonly Formula[]): boolean {
    const given = Math.min(maxSteps.question, this.#left)
    const budget = { left: given, work: this.#work }
    this.#work.left -= textLength(policies)
    const answer = isSpent(budget) ? 'unknown' : canHold(formulas(), budget)
    this.#left -= given - Math.max(0, budget.left)
    if (answer === 'unknown') this.unanswered += 1
    return answer !== 'no'
  }
}

/** Whether it ever applies, and for a permit whether it ever lets anybody through. */
function aboutEffect(
  policy: ParsedPolicy,
  scopes: readonly CallScope[],
  cutShort: boolean,
  about: (kind: FindingKind, message: string, others?: readonly string[]) => PolicyFinding,
  questions: Questions,
): PolicyFinding[] {
  const applicable = scopes.filter((scope) =>
    questions.mayHold([policy], () => [everyCall, appliesWhen(policy, scope)]),
  )
  if (applicable.length === 0) return cutShort ? [] : [about('never-true', 'No call can make its conditions true.')]
  if (policy.json.effect === 'forbid') return []
  const beating = new Set<string>()
  for (const scope of applicable) {
    const forbids = scope.policies.filter(({ json }) => json.effect === 'forbid')
    const allowed = (): Formula[] => {
      const conditions = forbids.map((forbid) => appliesWhen(forbid, scope))
      return [everyCall, ...allowedBy(appliesWhen(policy, scope), conditions)]
    }
    if (questions.mayHold([policy, ...forbids], allowed)) return []
    for (const { id, file } of forbids) if (file !== builtInFile) beating.add(id)
  }
  if (cutShort) return []
  return [about('always-overridden', 'Whatever it permits is forbidden.', [...beating].sort())]
}

/** The calls that a policy could have a say in, by who makes them and of what. */
function pairsOf(
  policy: ParsedPolicy,
  agents: readonly PolicyRequest['principal'][],
  tools: readonly KnownTool[],
  inForce: NamespacePolicies,
  questions: Questions,
): { found: CallScope[]; cutShort: boolean } {
  const { principal } = policyScope(policy.json)
  const inScope = agents.filter((agent) => {
    const entity = principalEntity(agent, inForce.vocabulary.namespace)
    return typeof entity !== 'string' && halfMatches(principal, entity.scoped)
  })
  const found: CallScope[] = []
  for (const tool of tools) {
    for (const agent of inScope) {
      if (found.length >= maxPairs.policy || !questions.mayLook(policy)) return { found, cutShort: true }
      const scope = scopeOfCall(agent, tool, inForce)
      if (scope?.policies.some(({ id }) => id === policy.id) === true) found.push(scope)
    }
  }
  return { found, cutShort: false }
}

function aboutAccess(
  agents: readonly PolicyRequest['principal'][],
  alike: readonly PolicyRequest['principal'][],
  inForce: NamespacePolicies,
): PolicyFinding[] {
  const { namespace, tools } = inForce.vocabulary
  const reached = new Set<string>()
  const findings: PolicyFinding[] = []
  for (const agent of alike) {
    const access = toolAccess(agent, inForce)
    for (const { tool, access: how } of access) if (how !== 'never') reached.add(tool)
    if (access.length === 0 || access.some(({ access: how }) => how !== 'always')) continue
    const rules = [...new Set(access.flatMap(({ policyIds }) => policyIds))].sort()
    findings.push({
      kind: 'agent-of-everything',
      policyId: null,
      subject: agent.id,
      message: `The agent ${agent.id} may call every tool, whatever the arguments${othersLike(agent, agents, alike)}.`,
      others: rules,
    })
  }
  if (agents.length === 0) return findings
  for (const { id } of tools.values()) {
    if (reached.has(id.slice(namespace.length + 1))) continue
    findings.push({
      kind: 'tool-of-nobody',
      policyId: null,
      subject: id,
      message: `No agent may ever call ${id}.`,
      others: [],
    })
  }
  return findings
}

/** How many agents are one case for the policies. */
function othersLike(
  agent: PolicyRequest['principal'],
  agents: readonly PolicyRequest['principal'][],
  alike: readonly PolicyRequest['principal'][],
): string {
  const more = agents.length - alike.length
  const isOneOfMany = agents.filter(({ groups }) => groups.join() === agent.groups.join()).length > 1
  return more > 0 && isOneOfMany ? ', and so may others in the same groups' : ''
}
