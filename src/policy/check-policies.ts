import { sha256 } from '../kernel/index.ts'
import { builtInFile } from './built-in-policies.ts'
import { readsOf, type AttributeReads } from './attribute-reads.ts'
import { projectRecord, validationSchema, type CallParts } from './cedar-schema.ts'
import { validate, type DetailedError } from './cedar.ts'
import { checkNames } from './check-names.ts'
import type { LruMap } from './lru-map.ts'
import type { PolicyProblem, PolicySource } from './policy-engine.ts'
import { policyScope } from './policy-scope.ts'
import type { ParsedPolicy, ParsedPolicySet } from './policy-set.ts'
import { positionAt, utf16Offset } from './source-position.ts'
import type { KnownTool, ToolVocabulary } from './tool-vocabulary.ts'

/** What the validator found about one policy against one type of arguments. */
export interface ValidatorFindings {
  readonly errors: readonly Finding[]
  readonly warnings: readonly Finding[]
  /** Whether the policy can never apply to such arguments. */
  readonly impossible: boolean
}

interface Finding {
  readonly message: string
  readonly hint: string | null
  /** UTF-16 offset in the policy's text. */
  readonly offset: number
}

/** Findings by policy text and argument type; the same pair is never validated twice while it is remembered. */
export type FindingsCache = LruMap<ValidatorFindings>

/** The problems of a set, and which policies do not fit the tools in their scope. */
export interface CheckOutcome {
  readonly problems: readonly PolicyProblem[]
  /** Ids of the policies with an error here. */
  readonly misfits: ReadonlySet<string>
}

interface Task {
  readonly type: CallParts
  readonly policies: { readonly policy: ParsedPolicy; readonly tools: string[] }[]
}

/**
 * Checks parsed policies against a vocabulary: names first (tools, services, groups, arguments, facts), then Cedar's
 * strict validation against the types of arguments and facts of every tool in each policy's scope. Types are cut down to the arguments that
 * the policy names, so that a thousand tools with one such argument in common are one validation.
 */
export function checkPolicies(
  set: ParsedPolicySet,
  sources: readonly PolicySource[],
  vocabulary: ToolVocabulary,
  cache: FindingsCache,
): CheckOutcome {
  const problems: PolicyProblem[] = [...vocabulary.factProblems]
  const misfits = new Set<string>()
  const texts = new Map(sources.map((source) => [source.file, source.text]))
  const report = (policy: ParsedPolicy, finding: Finding, severity: 'error' | 'warning'): void => {
    const place = positionAt(texts.get(policy.file) ?? '', policy.offset + finding.offset)
    problems.push({ file: policy.file, ...place, message: finding.message, hint: finding.hint, severity })
    if (severity === 'error') misfits.add(policy.id)
  }
  const tasks = new Map<string, Task>()
  const checked: ParsedPolicy[] = []
  for (const policy of set.policies) {
    if (policy.file === builtInFile) continue
    for (const finding of checkNames(policy, vocabulary)) report(policy, finding, finding.severity)
    if (permitsEverything(policy)) report(policy, everythingFinding, 'warning')
    if (misfits.has(policy.id)) continue
    checked.push(policy)
    addTasks(policy, vocabulary, tasks)
  }
  const found = new Map<string, { findings: ValidatorFindings; tools: readonly string[] }[]>()
  for (const [key, task] of tasks) runTask(key, task, cache, found)
  for (const policy of checked) reportFindings(policy, found.get(policy.id) ?? [], vocabulary, report)
  return { problems, misfits }
}

const everythingFinding: Finding = {
  message: 'this permits every agent of the namespace to use everything in it',
  hint: 'say who and what: principal in AgentGroup::"...", resource in Service::"..."',
  offset: 0,
}

/** Whether a permit has no bound on who and on what, and no condition. */
function permitsEverything({ json }: ParsedPolicy): boolean {
  const { principal, resource, actions } = policyScope(json)
  const open = [principal, resource].every(({ type, entity }) => type === null && entity === null)
  const anyCall = actions === null || actions.has('call')
  return json.effect === 'permit' && open && anyCall && json.conditions.length === 0
}

const emptyRecord = { type: 'Record', attributes: {} } as const

/** Sorts a policy under each distinct type that the arguments and facts it reads can have. */
function addTasks(policy: ParsedPolicy, vocabulary: ToolVocabulary, tasks: Map<string, Task>): void {
  const args = readsOf(policy.reads, 'args')
  const facts = readsOf(policy.reads, 'facts')
  const names = { args: namesOf(args, policy.argumentNames), facts: namesOf(facts, policy.factNames) }
  const byType = new Map<string, { readonly type: CallParts; readonly tools: string[] }>()
  const seen = new Map<string, string[]>()
  for (const tool of args === null && facts === null ? [] : vocabulary.toolsInScope(policyScope(policy.json)))
    addTool(tool, names, byType, seen)
  if (byType.size === 0) byType.set('none', { type: { args: emptyRecord, facts: emptyRecord }, tools: [] })
  for (const [, { type, tools }] of byType) {
    const key = JSON.stringify(type)
    const task = tasks.get(key)
    if (task === undefined) tasks.set(key, { type, policies: [{ policy, tools }] })
    else task.policies.push({ policy, tools })
  }
}

/** The members that a policy reads of each part of a call; `null`: all of them. */
interface ReadNames {
  readonly args: ReadonlySet<string> | null
  readonly facts: ReadonlySet<string> | null
}

function namesOf(reads: AttributeReads | null, names: ReadonlySet<string>): ReadonlySet<string> | null {
  return reads?.whole === true ? null : names
}

function addTool(
  tool: KnownTool,
  names: ReadNames,
  byType: Map<string, { readonly type: CallParts; readonly tools: string[] }>,
  seen: Map<string, string[]>,
): void {
  const sameType = seen.get(tool.typeKey)
  if (sameType !== undefined) {
    sameType.push(tool.id)
    return
  }
  const type = {
    args: projectRecord(tool.arguments.type, names.args),
    facts: projectRecord(tool.facts.type, names.facts),
  }
  const key = JSON.stringify(type)
  const group = byType.get(key) ?? { type, tools: [] }
  group.tools.push(tool.id)
  byType.set(key, group)
  seen.set(tool.typeKey, group.tools)
}

function runTask(
  typeKey: string,
  task: Task,
  cache: FindingsCache,
  found: Map<string, { findings: ValidatorFindings; tools: readonly string[] }[]>,
): void {
  const typeHash = sha256(typeKey)
  const cacheKey = (policy: ParsedPolicy): string => `${policy.textHash} ${typeHash}`
  const fresh = task.policies.filter(({ policy }) => cache.get(cacheKey(policy)) === undefined)
  const results =
    fresh.length === 0
      ? new Map<string, ValidatorFindings>()
      : validateAll(
          task.type,
          fresh.map(({ policy }) => policy),
        )
  for (const { policy, tools } of task.policies) {
    const findings = results.get(policy.id) ?? cache.get(cacheKey(policy))
    if (findings === undefined) throw new Error('a policy was left out of validation')
    cache.set(cacheKey(policy), findings)
    const list = found.get(policy.id)
    if (list === undefined) found.set(policy.id, [{ findings, tools }])
    else list.push({ findings, tools })
  }
}

/** @throws Error if Cedar refuses the whole validation, which it does for nothing that was parsed before. */
function validateAll({ args, facts }: CallParts, policies: readonly ParsedPolicy[]): Map<string, ValidatorFindings> {
  const answer = validate({
    schema: validationSchema(args, facts),
    policies: { staticPolicies: Object.fromEntries(policies.map((policy) => [policy.id, policy.text])) },
    validationSettings: { mode: 'strict' },
  })
  if (answer.type === 'failure') throw new Error('Cedar could not validate what it parsed before')
  const results = new Map(
    policies.map(({ id }) => [id, { errors: [] as Finding[], warnings: [] as Finding[], impossible: false }]),
  )
  const texts = new Map(policies.map(({ id, text }) => [id, text]))
  for (const { policyId, error } of answer.validationErrors) {
    results.get(policyId)?.errors.push(finding(error, texts.get(policyId) ?? '', policyId))
  }
  for (const { policyId, error } of answer.validationWarnings) {
    const result = results.get(policyId)
    if (result === undefined) continue
    if (error.message.includes('policy is impossible')) result.impossible = true
    else result.warnings.push(finding(error, texts.get(policyId) ?? '', policyId))
  }
  return results
}

function finding(error: DetailedError, text: string, policyId: string): Finding {
  const prefix = `for policy \`${policyId}\`, `
  const strip = (sentence: string): string => sentence.replace(prefix, '')
  const place = error.sourceLocations?.[0]
  return {
    message: strip(error.message),
    hint: error.help === null ? null : strip(error.help),
    offset: place === undefined ? 0 : utf16Offset(text, place.start),
  }
}

function reportFindings(
  policy: ParsedPolicy,
  all: readonly { readonly findings: ValidatorFindings; readonly tools: readonly string[] }[],
  vocabulary: ToolVocabulary,
  report: (policy: ParsedPolicy, finding: Finding, severity: 'error' | 'warning') => void,
): void {
  // One mistake shows once, not once for each action or type of arguments that it is a mistake for.
  const mistakes = new Map<string, { readonly error: Finding; readonly tools: readonly string[]; actions: number }>()
  for (const { findings, tools } of all) {
    for (const error of findings.errors) {
      const key = `${error.offset} ${error.message.replace(ofAction, '')}`
      const same = mistakes.get(key)
      if (same === undefined) mistakes.set(key, { error, tools: all.length > 1 ? tools : [], actions: 1 })
      else if (same.error.message !== error.message) same.actions += 1
    }
  }
  for (const { error, tools, actions } of mistakes.values()) {
    report(
      policy,
      explained(actions > 1 ? { ...error, message: error.message.replace(ofAction, '') } : error, tools),
      'error',
    )
  }
  if (mistakes.size > 0) return
  const seen = new Set<string>()
  for (const { findings } of all) {
    for (const warning of findings.warnings) {
      const key = `${warning.offset} ${warning.message}`
      if (seen.has(key)) continue
      seen.add(key)
      // Said better by the next warning, and only true if it holds for every type of arguments.
      if (!warning.message.includes('unable to find an applicable action')) report(policy, warning, 'warning')
    }
  }
  if (all.every(({ findings }) => findings.impossible)) {
    const hint = all
      .flatMap(({ findings }) => findings.warnings.map((warning) => warning.hint))
      .find((text) => text !== null)
    const empty = vocabulary.tools.size === 0 ? 'there are no tools yet' : null
    report(policy, { message: 'the policy can never match any request', hint: hint ?? empty, offset: 0 }, 'warning')
  }
}

const ofAction = / for Action::"[a-z]+"/u

/** Adds which tools a type error is about, and how to write round it. */
function explained(error: Finding, tools: readonly string[]): Finding {
  const shown = tools.slice(0, 3).join(', ')
  const more = tools.length > 3 ? ` and ${tools.length - 3} more` : ''
  const where = tools.length === 0 ? '' : ` (for ${shown}${more})`
  const missing = /attribute `(args|facts)(?:\.([A-Za-z_]\w*))?` .*not found/u.exec(error.message)
  let hint = error.hint
  const [, part, member] = missing ?? []
  if (part !== undefined && member !== undefined && tools.length > 0) {
    hint = `narrow the scope to the tools that have it, or test first: context.${part} has ${member} && ...`
  } else if (part !== undefined && member === undefined) {
    hint = `only calls have ${part === 'args' ? 'arguments' : part}: write action == Action::"call" in the scope`
  }
  return { ...error, message: `${error.message}${where}`, hint }
}
