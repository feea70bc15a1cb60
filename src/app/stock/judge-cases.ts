import { McpworksError } from '../../kernel/index.ts'
import { askStockCedar, type StockAnswer } from './ask-stock-cedar.ts'
import type { DecisionCases } from './decision-cases.ts'
import { prepareCase, type PreparedCase } from './prepare-case.ts'
import type { RecordedVerdict } from './recorded-verdict.ts'

/**
 * How a decision that was made again stands beside its record. `refused-before-cedar`: the record is a refusal because
 * of an error that is not Cedar's own; what Cedar alone would say has no part in it. `cannot`: something is missing.
 */
export type CaseVerdict = 'same' | 'different' | 'refused-before-cedar' | 'cannot'

/** One decision, made again. */
export interface JudgedCase {
  readonly index: number
  readonly call: string | null
  /** ISO 8601. */
  readonly time: string | null
  readonly principal: string | null
  readonly tool: string | null
  readonly verdict: CaseVerdict
  /** Why it cannot be made again, or what differs. Quotes nothing of the arguments. */
  readonly sentences: readonly string[]
  readonly notes: readonly string[]
  /** What the record says; `null` where it cannot be read. */
  readonly recorded: CedarVerdict | null
  /** What stock Cedar says; `null` where it was not asked. */
  readonly stock: CedarVerdict | null
}

/** A decision in the terms that the two are compared in. */
export interface CedarVerdict {
  /** Name and version. */
  readonly engine: string | null
  readonly effect: 'allow' | 'deny'
  readonly basis: string
  /** Ids of the policies that determined it, sorted. */
  readonly determining: readonly string[]
  /** Ids of the policies that could not be evaluated, sorted. */
  readonly failed: readonly string[]
}

/**
 * Makes each decision again with stock Cedar and compares.
 * @throws McpworksError `internal` where the process with stock Cedar gives no answer
 */
export async function judgeCases(cases: DecisionCases): Promise<JudgedCase[]> {
  const prepared = cases.cases.map((one) => prepareCase(one, cases))
  const ready = prepared.filter((one) => one.kind === 'ready')
  const asked =
    ready.length === 0
      ? ({ kind: 'answered', version: '', answers: [] } as const)
      : await askStockCedar(ready.map(({ question }) => question))
  if (asked.kind === 'broken')
    throw new McpworksError('internal', { message: `Stock Cedar gave no answer: ${asked.reason}.` })
  const answers = new Map(ready.map((one, position) => [one, asked.answers[position]]))
  return prepared.map((one) => {
    const answer = one.kind === 'ready' ? answers.get(one) : undefined
    if (one.kind === 'cannot' || answer === undefined)
      return judged(one, 'cannot', [one.kind === 'cannot' ? one.why : ''], null)
    return compare(one, stockVerdict(answer, asked.version))
  })
}

function compare(prepared: PreparedCase & { readonly kind: 'ready' }, stock: CedarVerdict): JudgedCase {
  const recorded = cedarVerdict(prepared.recorded)
  const differences = [...prepared.mismatches, ...differencesOf(recorded, stock), ...changedTexts(prepared)]
  if (differences.length === 0) return judged(prepared, 'same', [], stock)
  // What was struck out can be what decided: that it comes out otherwise shows nothing then.
  if (prepared.recorded.decision.request_redactions > 0 && prepared.mismatches.length === 0)
    return judged(prepared, 'cannot', [withoutSecrets], stock)
  const ours = prepared.mismatches.length === 0 ? errorsOfOurs(prepared.recorded) : []
  if (ours.length > 0) {
    const alone = `Stock Cedar alone would say ${stock.effect} (${stock.basis}).`
    return judged(prepared, 'refused-before-cedar', [...ours, alone], stock)
  }
  return judged(prepared, 'different', differences, stock)
}

/** Of a refusal by errors that the platform found before or beside Cedar, their sentences; none of any other decision. */
function errorsOfOurs({ decision }: RecordedVerdict): string[] {
  if (decision.effect !== 'deny' || decision.basis !== 'error') return []
  const sentences = decision.errors.map(({ message }) => message)
  return sentences.some((sentence) => cedarsErrors.test(sentence)) ? [] : sentences
}

const withoutSecrets =
  'Secrets were struck out of the input before it was kept, and without them it does not come out the same.'

const cedarsErrors = /^(?:Evaluating the policy|The request does not fit the schema)/u

function differencesOf(recorded: CedarVerdict, stock: CedarVerdict): string[] {
  const list = (ids: readonly string[]): string => (ids.length === 0 ? 'none' : ids.join(', '))
  const parts: [string, string, string][] = [
    ['effect', recorded.effect, stock.effect],
    ['basis', recorded.basis, stock.basis],
    ['determining policies', list(recorded.determining), list(stock.determining)],
    ['policies that could not be evaluated', list(recorded.failed), list(stock.failed)],
  ]
  return parts
    .filter(([, before, after]) => before !== after)
    .map(([what, before, after]) => `${what}: the log says ${before}, stock Cedar says ${after}`)
}

/** Policies that the record names by a text which is not the one in the set. */
function changedTexts({ recorded, question }: PreparedCase & { readonly kind: 'ready' }): string[] {
  const hashes = new Map<string, string>(question.policies.map(({ id, textHash }) => [id, textHash]))
  return recorded.decision.determining
    .filter(({ id, text_hash }) => hashes.has(id) && hashes.get(id) !== text_hash)
    .map(({ id }) => `the text of ${id} is not the one that the record names`)
}

/** As the platform enforces it: an error denies, and a permit that names nobody's policy does too. */
function stockVerdict(answer: StockAnswer, version: string): CedarVerdict {
  const engine = `cedar ${version}`
  if (answer.type === 'failure') return { engine, effect: 'deny', basis: 'error', determining: [], failed: [] }
  const { decision, diagnostics } = answer.response
  const failed = diagnostics.errors.map(({ policyId }) => policyId).sort()
  const determining = diagnostics.reason.toSorted()
  if (decision === 'allow' && failed.length === 0)
    return { engine, effect: 'allow', basis: 'permit', determining, failed }
  const isForbidden = decision === 'deny' && determining.length > 0
  const basis = isForbidden ? 'forbid' : failed.length > 0 ? 'error' : 'default-deny'
  return { engine, effect: 'deny', basis, determining, failed }
}

function cedarVerdict({ decision }: RecordedVerdict): CedarVerdict {
  const { engine, effect, basis, determining, errors } = decision
  return {
    engine: engine === null ? null : `${engine.name} ${engine.version}`,
    effect,
    basis,
    determining: determining.map(({ id }) => id).sort(),
    failed: errors.flatMap(({ policy_id: id }) => (id === null ? [] : [id])).sort(),
  }
}

function judged(
  { index, recorded, ...rest }: PreparedCase,
  verdict: CaseVerdict,
  sentences: readonly string[],
  stock: CedarVerdict | null,
): JudgedCase {
  return {
    index,
    call: recorded?.call ?? null,
    time: recorded?.time ?? null,
    principal: recorded?.pre.principal.id ?? null,
    tool: recorded?.pre.target.tool ?? null,
    verdict,
    sentences,
    notes: 'notes' in rest ? rest.notes : [],
    recorded: recorded === null ? null : cedarVerdict(recorded),
    stock,
  }
}
