import { createSchemaValidator, type SchemaValidator } from '../../functions/index.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/index.ts'
import type { PolicyDecision, PolicyEngine } from '../../policy/index.ts'
import type { DecisionReader, StoredDecision } from '../../storage/index.ts'
import { comparedDecision, compareDecisions, groundOf } from './compare-decisions.ts'
import { hiddenGround, visibleGround } from './difference-groups.ts'
import { readDecision, type ReadDecision, type RecordedDecision } from './recorded-decision.ts'
import { ReplayTally, type ReplayReport } from './replay-report.ts'

/** Decisions read at once. Their bodies are in memory together, each of at most `gateway.maxAuditBodyBytes`. */
const pageLength = 100

/** A tool as it is today. */
export interface ReplayedTool {
  readonly service: string
  readonly inputSchema: JsonObject
  readonly definitionHash: string
}

/** What is replayed. */
export interface ReplayScope {
  readonly namespace: string
  /** Unix milliseconds; older decisions are not looked at. */
  readonly sinceMs: number
  /** How many decisions are looked at, the newest first. */
  readonly maxDecisions: number
  /** The tools of today by name. */
  readonly tools: ReadonlyMap<string, ReplayedTool>
}

/**
 * Asks the engine again about each recorded decision of a namespace, and tells what would come out differently. The
 * engine has the policies that are tried in force, checked against the tools of today. Holds one page of decisions in
 * memory. Between pages it waits for `pause`, which answers false to stop; the report says then that it is not complete.
 * Circumstances are those of the time: what the caller had used, whether a person had approved the call. A call that
 * would have been decided otherwise counts as made all the same, so that limits are judged by what happened.
 */
export async function replayDecisions(
  engine: PolicyEngine,
  reader: DecisionReader,
  scope: ReplayScope,
  pause: (decisions: number) => Promise<boolean>,
): Promise<ReplayReport> {
  const tally = new ReplayTally()
  const schemas = createSchemaValidator()
  let before = Number.MAX_SAFE_INTEGER
  for (;;) {
    const wanted = Math.min(pageLength, scope.maxDecisions - tally.decisions)
    const page = await reader.page(scope.namespace, before, Math.max(wanted, 1))
    const recent = page.filter(({ timeMs }) => timeMs >= scope.sinceMs)
    // A clock that was set back puts older times among newer ones, but not over a whole page.
    if (recent.length === 0) return tally.report(true)
    if (wanted === 0) return tally.report(false)
    for (const stored of recent) replayOne({ engine, schemas }, stored, scope, tally)
    before = page.at(-1)?.index ?? 0
    if (!(await pause(tally.decisions))) return tally.report(false)
  }
}

function replayOne({ engine, schemas }: Judges, stored: StoredDecision, scope: ReplayScope, tally: ReplayTally): void {
  const { namespace, tools } = scope
  tally.look(stored.timeMs)
  const read = readDecision(stored)
  if (read.kind === 'unreplayable') {
    tally.skip(stored.call, read.why)
    return
  }
  if (read.kind === 'hidden') {
    lookAgain(engine, read, scope, tally)
    return
  }
  const { recorded, request, input } = read
  const isTool = request.action === 'call'
  const name = request.resource.id.slice(namespace.length + 1)
  const tool = tools.get(name)
  if (isTool && (tool === undefined || tool.service !== request.resource.service)) {
    tally.skip(stored.call, 'tool-gone')
    return
  }
  const changed = isTool && tool?.definitionHash !== recorded.definitionHash
  if (changed && tool !== undefined && schemas.validate(tool.inputSchema, request.arguments).length > 0) {
    tally.skip(stored.call, 'arguments-do-not-fit')
    return
  }
  const decided = engine.decide(request)
  if (changed) tally.changedTool(name)
  if (decided.derived !== null) tally.factsDerived()
  const after = comparedDecision(decided)
  const difference = compareDecisions(recorded, after)
  const isSame = isSameQuestion(recorded, decided)
  if (isSame) tally.sameQuestion()
  const broken = isSame && (difference !== null || !isSameInput(input, decided))
  tally.add(recorded, broken ? 'mismatches' : difference, groundOf(recorded), groundOf(after))
}

interface Judges {
  readonly engine: PolicyEngine
  readonly schemas: SchemaValidator
}

/** Asks whether the caller would be told of the tool. The record does not say whether it was there then. */
function lookAgain(
  engine: PolicyEngine,
  { about, principal }: Extract<ReadDecision, { kind: 'hidden' }>,
  { namespace, tools }: ReplayScope,
  tally: ReplayTally,
): void {
  const tool = tools.get(about.target)
  if (tool === undefined) {
    tally.skip(about.call, 'hidden')
    return
  }
  const resource = { type: 'Tool', id: `${namespace}/${about.target}`, namespace, service: tool.service } as const
  if (engine.isVisible({ principal, action: 'call', resource }))
    tally.add(about, 'newlyVisible', hiddenGround, visibleGround)
  else tally.skip(about.call, 'hidden')
}

/** Whether nothing that a decision depends on has changed: it must come out the same then. */
function isSameQuestion(recorded: RecordedDecision, decided: PolicyDecision): boolean {
  return (
    recorded.policySetHash === decided.policySetHash &&
    recorded.schemaHash === decided.schemaHash &&
    recorded.engine === `${decided.engine.name} ${decided.engine.version}`
  )
}

/** Whether the engine was given what it was given then. What later versions of this program add is not held against it. */
function isSameInput(recorded: string, { engineInput }: PolicyDecision): boolean {
  return recorded === engineInput || holds(JSON.parse(engineInput) as JsonValue, JSON.parse(recorded) as JsonValue)
}

/** Whether every member of `part`, at any depth, is in `whole` with the same value. */
function holds(whole: JsonValue | undefined, part: JsonValue): boolean {
  if (isJsonObject(part))
    return isJsonObject(whole) && Object.entries(part).every(([name, value]) => holds(whole[name], value))
  if (Array.isArray(part)) {
    return (
      Array.isArray(whole) &&
      whole.length === part.length &&
      part.every((value, position) => holds(whole[position], value))
    )
  }
  return whole === part
}
