import { canonicalJson, sha256, type Digest } from '../kernel/index.ts'
import { argumentFault, judgingFault } from './argument-guard.ts'
import { getCedarVersion, statefulIsAuthorized, type AuthorizationAnswer, type CedarValueJson } from './cedar.ts'
import type { DecisionBasis, PolicyDecision, PolicyRequest } from './decision.ts'
import { encodeArguments } from './encode-arguments.ts'
import type { NamespacePolicies } from './namespace-policies.ts'
import type { PreparedRequest } from './prepared-request.ts'
import type { CedarSlots } from './cedar-slots.ts'
import type { ParsedPolicy } from './policy-set.ts'
import { encodeCircumstances } from './request-context.ts'

type DecisionError = PolicyDecision['errors'][number]

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
    schemaHash: prepared?.schemaHash ?? nothing,
    entitiesHash: prepared?.judging().entitiesHash ?? nothing,
    requestHash: nothing,
    determining: [],
    errors: [{ policyId, message: sentence }],
    obligations: [],
    engineInput: '',
  }
}

/**
 * Decides one request over the policies in force in the resource's namespace. The decision is `allow` only if Cedar
 * succeeded, said allow, and reported no error: Cedar skips a forbid that fails and would allow the call.
 * Throws only what Cedar throws; the caller turns that into a deny.
 */
export function decideRequest(request: PolicyRequest, inForce: NamespacePolicies, slots: CedarSlots): UntimedDecision {
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
  const context = readPart(input.context, prepared)
  const tooMuch = context.args === undefined ? null : judgingFault(context.args as Record<string, CedarValueJson>)
  if (tooMuch !== null) return { ...denyByError(tooMuch, set, prepared), ...hashed(input) }
  const answer = statefulIsAuthorized({
    principal: prepared.principal.uid,
    action: { type: 'Action', id: request.action },
    resource: prepared.resource.uid,
    context,
    preparsedSchemaName: slots.schemaName(prepared),
    validateRequest: true,
    preparsedPolicySetId: slots.policiesName(prepared),
    entities: prepared.judging().entities,
  })
  return judged(answer, request, prepared, set, input)
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
  const { args: type, reads, entitiesText, principalText, resourceText } = prepared.judging()
  if (type !== null) {
    const args = encodeArguments(request.arguments, type, reads)
    if (!args.ok) return args.fault
    context = { ...context, args: args.value }
  }
  // The members are in RFC 8785 order; entities are serialised once for many requests.
  const text =
    `{"action":{"id":${JSON.stringify(request.action)},"type":"Action"},"context":${canonicalJson(context)},` +
    `"entities":${entitiesText},"principal":${principalText},"resource":${resourceText}}`
  return { context, text }
}

function readPart(context: EngineInput['context'], prepared: PreparedRequest): Record<string, CedarValueJson> {
  const { everything, names } = prepared.judging().reads
  if (everything) return { ...context }
  const part: Record<string, CedarValueJson> = {}
  for (const name of Object.keys(context)) {
    const value = context[name]
    if (value === undefined || !names.has(name)) continue
    part[name] = name === 'args' ? readArguments(value, names) : value
  }
  return part
}

function readArguments(args: CedarValueJson, names: ReadonlySet<string>): CedarValueJson {
  return Object.fromEntries(Object.entries(args as Record<string, CedarValueJson>).filter(([name]) => names.has(name)))
}

function hashed(input: EngineInput): Pick<PolicyDecision, 'requestHash' | 'engineInput'> {
  return { requestHash: sha256(input.text), engineInput: input.text }
}

function judged(
  answer: AuthorizationAnswer,
  request: PolicyRequest,
  prepared: PreparedRequest,
  set: Digest,
  input: EngineInput,
): UntimedDecision {
  if (answer.type !== 'success') {
    return { ...denyByError('The request does not fit the schema of the policies.', set, prepared), ...hashed(input) }
  }
  const { decision, diagnostics } = answer.response
  const { byId, entitiesHash } = prepared.judging()
  const errors: DecisionError[] = diagnostics.errors.map(({ policyId, error }) => ({
    policyId,
    message: evaluationFault(error.message),
  }))
  const reasons = diagnostics.reason.map((id) => byId.get(id)).filter((policy) => policy !== undefined)
  if (reasons.length !== diagnostics.reason.length)
    errors.push({ policyId: null, message: 'The engine named a policy that is not in scope.' })
  const foreign = request.principal.namespace !== null && request.principal.namespace !== request.resource.namespace
  if (decision === 'allow' && foreign)
    errors.push({ policyId: null, message: 'A principal of one namespace reaches nothing in another.' })
  const allow = decision === 'allow' && errors.length === 0
  const forbidden = decision === 'deny' && reasons.length > 0
  const basis: DecisionBasis = allow ? 'permit' : forbidden ? 'forbid' : errors.length > 0 ? 'error' : 'default-deny'
  return {
    effect: allow ? 'allow' : 'deny',
    basis,
    engine,
    policySetHash: set,
    schemaHash: prepared.schemaHash,
    entitiesHash,
    ...hashed(input),
    determining: reasons.map(({ shown }) => shown).sort((left, right) => (left.id < right.id ? -1 : 1)),
    errors,
    obligations: allow ? obligationsOf(reasons) : [],
  }
}

function obligationsOf(policies: readonly ParsedPolicy[]): string[] {
  return [...new Set(policies.map(({ obligation }) => obligation).filter((obligation) => obligation !== null))].sort()
}

/** Cedar's own sentences quote values of arguments, so only the kind of fault is passed on. */
function evaluationFault(message: string): string {
  if (message.includes('overflow')) return 'Evaluating the policy overflowed the range of 64-bit integers.'
  if (message.includes('attribute')) return 'Evaluating the policy met a missing attribute.'
  if (message.includes('extension')) return 'Evaluating the policy failed in an extension function.'
  return 'Evaluating the policy failed.'
}
