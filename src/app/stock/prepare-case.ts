import { sha256, type JsonObject } from '../../kernel/index.ts'
import { stockQuestion, type StockQuestion } from '../../policy/index.ts'
import type { DecisionCase, DecisionCases } from './decision-cases.ts'
import { recordedVerdict, type RecordedVerdict } from './recorded-verdict.ts'

/** A decision that can be made again, or why it cannot. */
export type PreparedCase =
  | {
      readonly kind: 'ready'
      readonly index: number
      readonly record: string
      readonly recorded: RecordedVerdict
      readonly question: StockQuestion
      /** The files of the policy set. */
      readonly sources: DecisionCases['policySets'][number]['sources']
      /** The platform's own policies of then. */
      readonly builtIn: string
      readonly salt: string
      readonly engineInput: string
      /** Where what was given is not what the record commits to. Any of them is a difference. */
      readonly mismatches: readonly string[]
      /** What limits what the repetition shows. */
      readonly notes: readonly string[]
    }
  | {
      readonly kind: 'cannot'
      readonly index: number
      readonly recorded: RecordedVerdict | null
      /** A sentence. */
      readonly why: string
    }

/**
 * Holds what it takes to make a decision again against the digests in its record: policies, schema, entities and the
 * engine's input. Does not verify the record itself.
 */
export function prepareCase({ index, record, engineInput, gone }: DecisionCase, cases: DecisionCases): PreparedCase {
  const recorded = recordedVerdict(record)
  const cannot = (why: string): PreparedCase => ({ kind: 'cannot', index, recorded, why })
  if (record === '') return cannot(gone ?? 'The text of the record is not there any more: its time was over.')
  if (recorded === null) return cannot('The record is not one of a decision.')
  const { decision, pre } = recorded
  if (decision.engine === null) return cannot(`Policy was not asked: ${unasked(recorded)}.`)
  if (engineInput === null) {
    const kept = decision.request_hash !== null
    return cannot(
      kept
        ? (gone ?? 'The input of the engine is not there any more: it was erased, or its time was over.')
        : 'The input of the engine was not kept: its level is metadata.',
    )
  }
  if (engineInput.text === '')
    return cannot(`The arguments could not be judged, so Cedar was not asked: ${firstError(recorded)}`)
  const substitute = substituteOf(engineInput.text)
  if (substitute !== null) return cannot(substitute)
  const set = cases.policySets.find(({ policySetHash }) => policySetHash === decision.policy_set_hash)
  if (set === undefined)
    return cannot(
      `The policies ${decision.policy_set_hash ?? ''} are not there: a version of the platform's own policies was part of them that is not kept.`,
    )
  const tool = cases.tools.find(({ definitionHash }) => definitionHash === pre.target.definition_hash)
  const { namespace } = recorded
  const known = tool === undefined ? null : { ...tool, namespace }
  const question = stockQuestion(set, known, engineInput.text)
  if (question === null) return cannot('The input of the engine, or the policies, are of no form known here.')
  return {
    kind: 'ready',
    index,
    record,
    recorded,
    question,
    sources: set.sources,
    builtIn: set.builtIn,
    salt: engineInput.salt,
    engineInput: engineInput.text,
    mismatches: mismatchesOf(recorded, question, engineInput),
    notes: notesOf(recorded, question),
  }
}

function mismatchesOf(
  { decision }: RecordedVerdict,
  question: StockQuestion,
  { text, salt }: { readonly text: string; readonly salt: string },
): string[] {
  const committed = sha256(Buffer.concat([Buffer.from(salt, 'hex'), Buffer.from(text)]))
  const pairs: [string, string | null, string | null][] = [
    ['the policies', decision.policy_set_hash, question.policySetHash],
    ['the schema', question.schemaHash === null ? null : decision.schema_hash, question.schemaHash],
    ['the entities', decision.entities_hash, question.entitiesHash],
    ["the engine's input", decision.request_hash, committed],
  ]
  return pairs
    .filter(([, recorded, found]) => recorded !== found)
    .map(
      ([what, recorded, found]) =>
        `${what}: the record says ${recorded ?? 'none'}, and what is there is ${found ?? 'none'}`,
    )
}

function notesOf({ decision, pre }: RecordedVerdict, { schema }: StockQuestion): string[] {
  const struck = decision.request_redactions
  const { untold } = pre.derived
  return [
    ...(schema === null
      ? ["The tool's definition of then is not there any more, so the request was not validated against its schema."]
      : []),
    ...(struck === 0
      ? []
      : [`${struck} secrets were struck out of the input before it was kept: Cedar is asked without them.`]),
    ...(untold.length === 0
      ? []
      : [
          `Facts that nobody could tell, and that no policy in scope reads, have neutral values: ${untold.join(', ')}.`,
        ]),
  ]
}

/** What stands in the place of an input that was too large, or of which something was struck out. */
function substituteOf(text: string): string | null {
  const input = JSON.parse(text) as JsonObject
  if (typeof input.omitted === 'string')
    return 'The input of the engine was too large to be kept (gateway.maxAuditBodyBytes).'
  return null
}

function unasked(recorded: RecordedVerdict): string {
  const { basis } = recorded.decision
  if (basis === 'barred') return 'running code asked for what its definition does not declare'
  if (basis === 'error') return firstError(recorded)
  return 'the caller was answered that there is no such thing'
}

function firstError({ decision }: RecordedVerdict): string {
  return decision.errors[0]?.message ?? 'no reason is recorded'
}
