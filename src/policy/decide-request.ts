import { canonicalJson, sha256, type Digest } from '../kernel/index.ts'
import { argumentFault, judgingFault } from './argument-guard.ts'
import { readsOf, type AttributeReads } from './attribute-reads.ts'
import { getCedarVersion, type CedarValueJson } from './cedar.ts'
import type { DerivedFacts, PolicyDecision, PolicyRequest } from './decision.ts'
import type { DecisionCache } from './decision-cache.ts'
import { encodeArguments } from './encode-arguments.ts'
import { deriveFacts, type CallFacts } from './facts/derive-facts.ts'
import { neutralValue } from './facts/neutral-value.ts'
import type { ToolFacts } from './facts/tool-facts.ts'
import { isOrdered } from './ordered-members.ts'
import { judgePart } from './judge-part.ts'
import type { NamespacePolicies } from './namespace-policies.ts'
import type { PreparedRequest } from './prepared-request.ts'
import type { CedarSlots } from './cedar-slots.ts'
import { partOfValue } from './read-part.ts'
import { recordLevelOf } from './record-level.ts'
import { encodeCircumstances } from './request-context.ts'

/** A decision without the time that it took. */
export type UntimedDecision = Omit<PolicyDecision, 'durationUs'>

const engine = { name: 'cedar', version: getCedarVersion() } as const

/** The digest that stands where a request never got far enough to have the thing hashed. */
const nothing: Digest = sha256('')

/** Exactly what stock Cedar needs besides the policies and the schema. */
export interface EngineInput {
  readonly context: { readonly [name: string]: CedarValueJson }
  /** RFC 8785 text of the whole input. */
  readonly text: string
  readonly derived: DerivedFacts | null
  readonly spend: number
}

/** The deny for a request that could not be judged. `sentence` may name arguments, never their values. */
export function denyByError(
  sentence: string,
  set: Digest,
  prepared: PreparedRequest | null,
  policyId: string | null = null,
): UntimedDecision {
  return {
    effect: 'deny',
    basis: 'error',
    engine,
    policySetHash: set,
    schemaHash: prepared?.judging().schemaHash ?? nothing,
    entitiesHash: prepared?.judging().entitiesHash ?? nothing,
    requestHash: nothing,
    determining: [],
    errors: [{ policyId, message: sentence }],
    obligations: [],
    recordLevel: prepared === null ? 'metadata' : recordLevelOf(prepared.policies),
    derived: null,
    spend: 0,
    engineInput: '',
  }
}

/**
 * Decides one request over the policies in force in the resource's namespace: checks what it holds, then gives Cedar
 * the part that the policies in scope could read, or takes what Cedar answered to the same part before. The hash and
 * the text of the input are those of this request either way.
 * Throws only what Cedar throws; the caller turns that into a deny.
 */
export function decideRequest(
  request: PolicyRequest,
  inForce: NamespacePolicies,
  slots: CedarSlots,
  cache: DecisionCache,
): UntimedDecision {
  const set = inForce.set.hash
  const prepared = inForce.prepare(request.principal, request.action, request.resource)
  if (typeof prepared === 'string') return denyByError(prepared, set, null)
  const input = engineInput(request, prepared)
  if (typeof input === 'string') return denyByError(input, set, prepared)
  const [misfit] = prepared.misfits
  if (misfit !== undefined) {
    return {
      ...denyByError('The policy does not fit the tool as it is now. Change one of the two.', set, prepared, misfit),
      ...hashed(input),
    }
  }
  const { context: type, reads, entitiesHash, schemaHash } = prepared.judging()
  const part = partOfValue(input.context, type, reads) as Record<string, CedarValueJson>
  const tooMuch = judgingFault(part.args, part.facts)
  if (tooMuch !== null) return { ...denyByError(tooMuch, set, prepared), ...hashed(input) }
  return {
    ...cache.answer(prepared, part, () => judgePart(part, prepared, slots)),
    engine,
    policySetHash: set,
    schemaHash,
    entitiesHash,
    ...hashed(input),
  }
}

/**
 * The whole input of a request, with every argument that a policy could ever name. Answers a sentence where there is
 * none. What the engine is given is the part that the policies in scope could read.
 */
export function engineInput(request: PolicyRequest, prepared: PreparedRequest): EngineInput | string {
  const fault = argumentFault(request.arguments)
  if (fault !== null) return fault
  const circumstances = encodeCircumstances(request.context)
  if (!circumstances.ok) return circumstances.fault
  let context = circumstances.value
  const { args: type, facts, reads, entitiesText, principalText, resourceText } = prepared.judging()
  let told: CallFacts | null = null
  if (type !== null) {
    const args = encodeArguments(request.arguments, type, readsOf(reads, 'args'))
    if (!args.ok) return args.fault
    context = { ...context, args: args.value }
  }
  if (facts !== null) {
    told = deriveFacts(request.arguments, facts)
    const unread = told.spendFault ?? readFault(told, readsOf(reads, 'facts'))
    if (unread !== null) return unread
    context = { ...context, facts: completed(told, facts) }
  }
  // The members are in RFC 8785 order; entities are serialised once for many requests.
  const text =
    `{"action":{"id":${JSON.stringify(request.action)},"type":"Action"},"context":${contextText(context)},` +
    `"entities":${entitiesText},"principal":${principalText},"resource":${resourceText}}`
  return { context, text, derived: derivedOf(told, facts), spend: told?.spend ?? 0 }
}

/**
 * The RFC 8785 text of a context. Circumstances are made with their members in its order, of well-formed texts and whole
 * numbers; where the same holds for what comes from the caller, `JSON.stringify` writes it, several times faster.
 */
function contextText(context: EngineInput['context']): string {
  if (!isOrdered(context.args) || !isOrdered(context.facts)) return canonicalJson(context)
  const sorted: Record<string, CedarValueJson | undefined> = {}
  for (const name of Object.keys(context).sort()) sorted[name] = context[name]
  return JSON.stringify(sorted)
}

/** The facts with a neutral value for each required one that cannot be told, so that stock Cedar takes the input for a valid one. */
function completed({ values }: CallFacts, { type: { attributes } }: ToolFacts): CallFacts['values'] {
  const untold = Object.entries(attributes).filter(([name, { required }]) => required && !Object.hasOwn(values, name))
  if (untold.length === 0) return values
  return { ...values, ...Object.fromEntries(untold.map(([name, type]) => [name, neutralValue(type)])) }
}

/** Why a fact that a policy in scope reads cannot be told: nobody may guess what the policy would have said. */
function readFault({ faults }: CallFacts, reads: AttributeReads | null): string | null {
  if (reads === null) return null
  for (const [name, sentence] of faults) if (readsOf(reads, name) !== null) return sentence
  return null
}

function derivedOf(told: CallFacts | null, facts: ToolFacts | null): DerivedFacts | null {
  const extractorHash = facts?.extractorHash ?? null
  if (told === null || extractorHash === null) return null
  return { extractorHash, facts: told.open, untold: [...told.faults.keys()] }
}

type AboutInput = 'requestHash' | 'engineInput' | 'derived' | 'spend'

function hashed({ text, derived, spend }: EngineInput): Pick<PolicyDecision, AboutInput> {
  return { requestHash: sha256(text), engineInput: text, derived, spend }
}
