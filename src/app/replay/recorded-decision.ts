import { z } from 'zod'
import { isJsonObject, type JsonObject } from '../../kernel/index.ts'
import { requestFromRecord, type PolicyRequest } from '../../policy/index.ts'
import type { StoredDecision } from '../../storage/index.ts'
import type { ComparedDecision } from './compare-decisions.ts'
import { requestFromEnvelope } from './request-from-envelope.ts'

/** Which decision it was. */
export interface DecidedAbout {
  readonly call: string
  readonly timeMs: number
  /** Principal id. */
  readonly principal: string
  /** Tool, URI, prompt or operation, as the record has it. */
  readonly target: string
}

/** What a replay needs of a decision record. */
export interface RecordedDecision extends DecidedAbout, ComparedDecision {
  readonly definitionHash: string | null
  readonly policySetHash: string | null
  readonly schemaHash: string | null
  /** Name and version. */
  readonly engine: string
}

/** Why a decision cannot be asked again. Each has its sentence in `replay-report.ts`. */
export type Unreplayable =
  | 'hidden'
  | 'unknown'
  | 'invalid-arguments'
  | 'not-policy'
  | 'bodies-not-kept'
  | 'redacted'
  | 'body-too-large'
  | 'bodies-closed'
  | 'not-judged'
  | 'unreadable'
  | 'tool-gone'
  | 'arguments-do-not-fit'

/** A record of a decision and the request that it answered, or why there is none to ask again. */
export type ReadDecision =
  | {
      readonly kind: 'decided'
      readonly recorded: RecordedDecision
      readonly request: PolicyRequest
      /** The recorded text of the engine's input. */
      readonly input: string
    }
  /** A tool that the caller was told is not there. Policy was not asked about the arguments, and they were not kept. */
  | { readonly kind: 'hidden'; readonly about: DecidedAbout; readonly principal: PolicyRequest['principal'] }
  | { readonly kind: 'unreplayable'; readonly call: string; readonly why: Unreplayable }

const recordSchema = z.object({
  mcp: z.object({ method: z.string() }),
  pre: z.object({
    principal: z.object({ type: z.enum(['agent', 'user']), id: z.string(), groups: z.array(z.string()) }),
    target: z.object({ tool: z.string(), definition_hash: z.string().nullable() }),
  }),
  decision: z.object({
    effect: z.enum(['allow', 'deny']),
    basis: z.string(),
    engine: z.object({ name: z.string(), version: z.string() }).nullable(),
    policy_set_hash: z.string().nullable(),
    schema_hash: z.string().nullable(),
    determining: z.array(
      z.object({ id: z.string(), text_hash: z.string(), reason: z.string().nullable(), remedy: z.string().nullable() }),
    ),
    errors: z.array(z.object({ message: z.string() })),
    obligations: z.array(z.string()),
  }),
})

/** Reads a stored decision. Never throws: what cannot be read is answered with why. */
export function readDecision(stored: StoredDecision): ReadDecision {
  const no = (why: Unreplayable): ReadDecision => ({ kind: 'unreplayable', call: stored.call, why })
  const record = jsonOf(stored.json)
  const parsed = recordSchema.safeParse(record)
  if (!parsed.success) return no('unreadable')
  const { decision, mcp, pre } = parsed.data
  const { principal } = pre
  const about = { call: stored.call, timeMs: stored.timeMs, principal: principal.id, target: pre.target.tool }
  if (decision.engine === null) {
    const hidden = decision.basis === 'default-deny' && mcp.method === 'tools/call' && principal.type === 'agent'
    if (!hidden) return no(unasked(decision.basis))
    return { kind: 'hidden', about, principal: { ...principal, namespace: principal.id.split('/')[0] ?? '' } }
  }
  const { bodies } = stored
  if (bodies.kind !== 'open') return no(bodies.kind === 'none' ? 'bodies-not-kept' : 'bodies-closed')
  if (bodies.engineInput === null || bodies.input === null) return no('bodies-not-kept')
  if (isRedacted(record)) return no('redacted')
  const request = requestOf(record, bodies.input, bodies.engineInput)
  if (typeof request === 'string') return no(request)
  return {
    kind: 'decided',
    request,
    input: bodies.engineInput,
    recorded: {
      ...about,
      definitionHash: pre.target.definition_hash,
      effect: decision.effect,
      basis: decision.basis,
      policySetHash: decision.policy_set_hash,
      schemaHash: decision.schema_hash,
      engine: `${decision.engine.name} ${decision.engine.version}`,
      determining: decision.determining.map(({ id, text_hash, reason, remedy }) => ({
        id,
        textHash: text_hash,
        reason,
        remedy,
      })),
      errors: decision.errors.map(({ message }) => message),
      obligations: decision.obligations,
    },
  }
}

/** Whether what is stored is less than what was decided on. */
function isRedacted(record: unknown): boolean {
  const decision = isJsonObject(record) ? record.decision : null
  const pre = isJsonObject(record) ? record.pre : null
  const input = isJsonObject(pre) ? pre.input : null
  if (isJsonObject(input) && input.redacted === true) return true
  return isJsonObject(decision) && typeof decision.request_redactions === 'number'
}

/** The request that was decided. The engine's input is empty where it could not judge the arguments. */
function requestOf(record: unknown, inputText: string, engineInputText: string): PolicyRequest | Unreplayable {
  const body = objectOf(inputText)
  if (engineInputText === '') {
    if (body === null || isOmitted(body)) return 'body-too-large'
    return (isLaterRound(body) ? null : requestFromEnvelope(record, body)) ?? 'not-judged'
  }
  const input = objectOf(engineInputText)
  if (input === null) return 'unreadable'
  if (isOmitted(input)) return 'body-too-large'
  const args = argumentsOf(body, input)
  if (args === null) return 'body-too-large'
  const rebuilt = requestFromRecord(input, args)
  return rebuilt.ok ? rebuilt.request : 'unreadable'
}

/** Why policy was not asked, from the basis of the refusal. */
function unasked(basis: string): Unreplayable {
  if (basis === 'default-deny') return 'unknown'
  return basis === 'error' ? 'invalid-arguments' : 'not-policy'
}

/**
 * The arguments that policy was asked about; `null` where they were not kept whole. Only calls of tools have any.
 * A body of another form (that of an omitted one, or of a later round with its answers) could be what a caller wrote
 * as arguments: what Cedar saw of them tells which it is.
 */
function argumentsOf(body: JsonObject | null, engineInput: JsonObject): JsonObject | null {
  const context = isJsonObject(engineInput.context) ? engineInput.context : {}
  if (!isJsonObject(context.args)) return {}
  const { args } = context
  if (body === null) return null
  const seen = Object.keys(args)
  if (isOmitted(body) && !seen.includes('omitted')) return null
  return isLaterRound(body) && !seen.includes('inputResponses') ? body.arguments : body
}

/** What is kept of a later round of a call that its tool interrupted. */
function isLaterRound(body: JsonObject): body is JsonObject & { readonly arguments: JsonObject } {
  return isJsonObject(body.arguments) && 'inputResponses' in body && Object.keys(body).length === 2
}

/** What stands in the place of a body over `gateway.maxAuditBodyBytes`. */
function isOmitted(body: JsonObject): boolean {
  return typeof body.omitted === 'string' && typeof body.sha256 === 'string' && Object.keys(body).length === 3
}

function objectOf(text: string): JsonObject | null {
  const value = jsonOf(text)
  return isJsonObject(value) ? value : null
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Reported as unreadable: the reader of the answer is told how many there are.
    return null
  }
}
