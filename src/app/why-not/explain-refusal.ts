import { findRemoval, removalSentence, type DecisionLog, type StoredRecord } from '../../audit/index.ts'
import { isJsonObject, type Digest, type JsonObject } from '../../kernel/index.ts'
import {
  builtInPolicies,
  type Explanation,
  type PolicyEngine,
  type PolicyRequest,
  type PolicyVocabulary,
} from '../../policy/index.ts'
import type { SchemaChecker } from '../../gateway/index.ts'
import type { HostedState } from '../hosted-state.ts'
import { readDecision, type ReadDecision } from '../replay/recorded-decision.ts'
import { inputSchemaOf, policiesOfThen, type DecisionCasePorts } from '../stock/find-decision-cases.ts'
import { recordedVerdict, type RecordedVerdict } from '../stock/recorded-verdict.ts'
import type { RefusalExplanation, RefusingRule, TodaysAnswer } from './refusal-explanation.ts'
import { whatWouldChangeIt } from './what-would-change-it.ts'

/** What refusals are explained from. */
export interface RefusalPorts extends DecisionCasePorts {
  readonly decisionLog: Pick<DecisionLog, 'read' | 'readBody'>
  readonly policy: Pick<PolicyEngine, 'under' | 'explain' | 'isVisible'>
  readonly hosted: Pick<HostedState, 'vocabulary'>
  readonly schemas: SchemaChecker
}

/**
 * Why a recorded call was refused, and what would change it: the recorded request is explained under the recorded
 * policies and the definition of then, and under those of today. Says what policies say; never what a call held.
 * `null` where there is no decision for the call.
 */
export async function explainRefusal(
  namespace: string,
  call: string,
  ports: RefusalPorts,
): Promise<RefusalExplanation | null> {
  const { decisionLog } = ports
  const [stored] = await decisionLog.read({ namespace, call, kinds: ['decision'], limit: 1 })
  const recorded = stored === undefined ? null : recordedVerdict(stored.json)
  if (stored === undefined || recorded === null) return null
  const { decision, pre, time } = recorded
  const about = { call, namespace, time, principal: pre.principal.id, tool: pre.target.tool, basis: decision.basis }
  const none = { rules: [], nearMisses: [], elsewhere: [], changes: [], missing: [], today: null }
  if (decision.effect === 'allow')
    return { ...about, ...none, refused: false, sentence: 'policy allowed the call; "mcpworks why" tells how it ended' }
  const read = readDecision({ ...stored, bodies: await bodiesOf(stored, decisionLog) })
  const request = read.kind === 'decided' ? read.request : null
  const then = await underPoliciesOfThen(recorded, request, ports)
  const rules = rulesOf(stored, then.explanation)
  const { nearMisses = [], elsewhere = [] } = then.explanation ?? {}
  const record = JSON.parse(stored.json) as JsonObject
  const known = { basis: decision.basis, rules, nearMisses, elsewhere, ...circumstancesOf(record) }
  const problems = await schemaProblems(recorded, stored, ports)
  return {
    ...about,
    refused: true,
    sentence: sentenceOf(recorded),
    rules,
    nearMisses,
    elsewhere,
    changes: [...changesBesidePolicy(recorded, read, problems), ...(asked(read) ? whatWouldChangeIt(known) : [])],
    missing: [...then.missing, ...(await missingOf(read, stored, recorded, decisionLog))],
    today: todaysAnswer(request, ports),
  }
}

/** Whether policy was asked about the call, so that policies can have a part in what would change it. */
function asked(read: ReadDecision): boolean {
  if (read.kind !== 'unreplayable') return read.kind === 'decided'
  return !['unknown', 'invalid-arguments', 'not-policy'].includes(read.why)
}

async function bodiesOf(stored: StoredRecord, log: RefusalPorts['decisionLog']) {
  const input = await log.readBody(stored.id, 'input')
  const engineInput = await log.readBody(stored.id, 'engine_input')
  if (input === null && engineInput === null) return { kind: 'none' } as const
  return { kind: 'open', input: input?.body ?? null, engineInput: engineInput?.body ?? null } as const
}

interface Then {
  readonly explanation: Explanation | null
  readonly missing: readonly string[]
}

async function underPoliciesOfThen(
  { decision, namespace, pre }: RecordedVerdict,
  request: PolicyRequest | null,
  ports: RefusalPorts,
): Promise<Then> {
  const nothing = (why: string): Then => ({ explanation: null, missing: [why] })
  if (request === null) return { explanation: null, missing: [] }
  const { policy_set_hash: hash } = decision
  const policies = hash === null ? null : await policiesOfThen(namespace, hash as Digest, ports.policyStore)
  // The engine here has the platform's own policies of today in every set.
  if (policies === null || policies.builtIn !== builtInPolicies)
    return nothing('the policies of then are not there, so their conditions cannot be shown')
  const { tool, service, definition_hash: definition } = pre.target
  let vocabulary: PolicyVocabulary = ports.hosted.vocabulary(namespace)
  if (request.action === 'call') {
    const schema =
      service === null || definition === null
        ? null
        : await inputSchemaOf({ namespace, tool, service, hash: definition }, ports)
    if (service === null || schema === null)
      return nothing('the definition of the tool of then is not there, so conditions cannot be looked at')
    const others = vocabulary.tools.filter(({ name }) => name !== tool)
    vocabulary = { ...vocabulary, tools: [...others, { name: tool, service, inputSchema: schema }] }
  }
  const tried = ports.policy.under(policies.sources, vocabulary, () => ports.policy.explain(request), 'deny-affected')
  return 'answer' in tried
    ? { explanation: tried.answer, missing: [] }
    : nothing('the policies of then are not taken any more, so their conditions cannot be shown')
}

function rulesOf({ json }: StoredRecord, explanation: Explanation | null): RefusingRule[] {
  const conditions = new Map(explanation?.because.map((one) => [one.policyId, one.conditions]))
  const decision = memberOf(JSON.parse(json), 'decision')
  const rules = Array.isArray(decision.determining) ? decision.determining.filter(isJsonObject) : []
  return rules.map(({ id, effect, reason, remedy }) => ({
    id: String(id),
    effect: String(effect),
    reason: typeof reason === 'string' ? reason : null,
    remedy: typeof remedy === 'string' ? remedy : null,
    conditions: conditions.get(String(id)) ?? [],
  }))
}

function circumstancesOf(record: JsonObject) {
  const pre = memberOf(record, 'pre')
  const { id, by } = memberOf(pre, 'approval')
  const { retry_after_s: seconds } = memberOf(pre, 'quota')
  const { errors } = memberOf(record, 'decision')
  return {
    approval: typeof id === 'string' && by === null ? id : null,
    retryAfterSeconds: typeof seconds === 'number' ? seconds : null,
    errors: (Array.isArray(errors) ? errors.filter(isJsonObject) : []).map(({ message }) => String(message)),
  }
}

function sentenceOf({ decision }: RecordedVerdict): string {
  const [error] = decision.errors
  switch (decision.basis) {
    case 'forbid':
      return 'a policy forbids it, and forbid beats permit'
    case 'barred':
      return `running code may not ask for it: ${error?.message ?? ''}`
    case 'error':
      return decision.engine === null
        ? 'the arguments do not fit the input schema, so policy was not asked'
        : `it could not be judged, and an error refuses: ${error?.message ?? ''}`
    case 'default-deny':
      return decision.engine === null
        ? 'there is no such thing, or the caller may not know of it; both are answered alike'
        : 'no policy permits it, and what is not permitted is refused'
    default:
      return decision.basis
  }
}

/** Places in the arguments that broke the schema of then. The schema's own words, and no value. */
async function schemaProblems(
  { decision, namespace, pre }: RecordedVerdict,
  stored: StoredRecord,
  ports: RefusalPorts,
): Promise<string[]> {
  const { tool, service, definition_hash: hash } = pre.target
  if (decision.basis !== 'error' || decision.engine !== null || service === null || hash === null) return []
  const schema = await inputSchemaOf({ namespace, tool, service, hash }, ports)
  const body = (await ports.decisionLog.readBody(stored.id, 'input'))?.body
  const args: unknown = body === undefined ? null : JSON.parse(body)
  if (schema === null || !isJsonObject(args)) return []
  return ports.schemas
    .check(schema, args)
    .slice(0, 10)
    .map(({ path, message }) => `${path === '' ? 'the arguments' : path}: ${message}`)
}

function changesBesidePolicy(
  { decision, pre }: RecordedVerdict,
  read: ReadDecision,
  problems: readonly string[],
): string[] {
  if (decision.basis === 'barred')
    return [
      `The author of the calling function naming ${pre.target.tool} under "calls" in its service.yaml, if it is not there, and calls inside calls no more than four deep.`,
    ]
  if (problems.length > 0) return [`Arguments that fit the schema: ${problems.join('; ')}.`]
  if (read.kind === 'hidden')
    return [
      'A tool of that name, and a policy that permits this caller some call of it: then it sees the tool and is judged.',
    ]
  return []
}

async function missingOf(
  read: ReadDecision,
  stored: StoredRecord,
  { pre }: RecordedVerdict,
  log: Pick<DecisionLog, 'read'>,
): Promise<string[]> {
  if (read.kind !== 'unreplayable') return []
  if (
    memberOf(JSON.parse(stored.json), 'pre').input != null &&
    (read.why === 'bodies-closed' || read.why === 'bodies-not-kept')
  ) {
    const removal = await findRemoval(log, stored, { part: 'body', principal: pre.principal.id })
    return [`what was kept of the arguments ${removalSentence(removal)}, so conditions cannot be looked at`]
  }
  const sentences: Partial<Record<typeof read.why, string>> = {
    'bodies-not-kept': 'the arguments were never kept (level metadata), so conditions cannot be looked at',
    'bodies-closed': 'the arguments were erased or cannot be opened, so conditions cannot be looked at',
    'body-too-large': 'the arguments were too large to be kept, so conditions cannot be looked at',
    unreadable: 'the record, or what stands beside it, is of no form known here',
  }
  const sentence = sentences[read.why]
  return sentence === undefined ? [] : [sentence]
}

function todaysAnswer(request: PolicyRequest | null, { policy }: RefusalPorts): TodaysAnswer | null {
  if (request === null) return null
  const { decision, nearMisses } = policy.explain(request)
  const rules = decision.determining.map(({ id }) => id)
  return { effect: decision.effect, basis: decision.basis, rules, nearMisses }
}

function memberOf(value: unknown, name: string): JsonObject {
  const member = isJsonObject(value) ? value[name] : null
  return isJsonObject(member) ? member : {}
}
