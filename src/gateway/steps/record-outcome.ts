import type { OutcomeDraft } from '../../audit/index.ts'
import { McpworksError, type JsonObject } from '../../kernel/index.ts'
import type { IdentifiedCall } from '../call.ts'
import type { CatalogueEntry } from '../catalogue.ts'
import type { GatewayPorts } from '../ports.ts'
import { keptOutput } from '../recorded/kept-body.ts'
import type { Acted } from './act.ts'
import type { Fulfilled } from './fulfil.ts'
import type { Keeping } from './kept-level.ts'
import type { Invariants } from './verify-invariants.ts'

/** What is known of an act beside how it ended. */
interface Found {
  readonly invariants: Invariants
  readonly obligations: Fulfilled
  /** Calls that it asked for. */
  readonly innerCalls: number
  /** What may be kept of it. */
  readonly keeping: Keeping
}

/** What goes out, and the record of it. */
interface HandedOut {
  readonly id: string
  readonly bytesOut: number
  readonly index: number
}

/**
 * Makes the outcome durable before the answer leaves.
 * @throws McpworksError `audit_unavailable`: the output must be withheld.
 */
export async function recordOutcome(
  call: IdentifiedCall,
  entry: CatalogueEntry | null,
  acted: Acted,
  { keeping: { level, redaction }, ...found }: Found,
  ports: GatewayPorts,
): Promise<HandedOut> {
  const rules = { redaction, maxBytes: ports.config.maxAuditBodyBytes }
  const outputSchema = entry?.outputSchema ?? null
  const definitionHashAfter =
    entry === null ? null : (ports.catalogue.resolve(call.namespace, entry.kind, entry.name)?.definitionHash ?? null)
  // A management answer may hold a secret that is shown once, and audit answers are records already.
  const given = givenOut(acted)
  // What is kept back is kept all the same, sealed: a person is to look at it. Not where nothing may be kept at all.
  const isWithheld = found.invariants.some(({ pass }) => !pass)
  const keepOutput =
    (level === 'request_response' || (isWithheld && level !== 'metadata')) && entry !== null && given !== null
  const outcome: OutcomeDraft = {
    kind: 'outcome',
    namespace: call.namespace,
    run: call.run,
    call: call.call,
    parentCall: call.parent?.call ?? null,
    trace: call.facts.trace,
    subject: call.caller.principal.id,
    outcome: {
      status: acted.status === 'broken' ? 'protocol-error' : acted.status,
      detail: detailOf(acted),
      durationMs: Math.round((ports.clock.monotonicMs() - call.startedMs) * 1000) / 1000,
      resources: acted.status === 'broken' ? null : (acted.resources ?? null),
      ...('exitCode' in acted && acted.exitCode !== undefined ? { exitCode: acted.exitCode } : {}),
      ...found,
      ...('jail' in acted && acted.jail !== undefined ? { jail: acted.jail.evidence } : {}),
      bytesOut: given === null || isWithheld ? 0 : Buffer.byteLength(JSON.stringify(given)),
      labelsAfter: call.currentRun.labels,
      definitionHashAfter,
    },
    bodies: {
      output: keepOutput
        ? keptOutput(given, 'printed' in acted ? (acted.printed ?? null) : null, outputSchema, rules)
        : null,
    },
  }
  const { id, index } = await ports.decisionLog.append(outcome)
  return { id, bytesOut: outcome.outcome.bytesOut, index }
}

/** What goes out to whoever called, be it a result, a question or an error of the tool's; `null` where nothing does. */
function givenOut(acted: Acted): JsonObject | null {
  switch (acted.status) {
    case 'broken':
      return null
    case 'input-required':
      return { inputRequests: acted.inputRequests }
    case 'protocol-error':
      return { error: { code: acted.rpcCode, message: acted.message, data: acted.data } }
    case 'ok':
    case 'tool-error':
    case 'timeout':
    case 'killed':
    case 'limit':
      return acted.result
  }
}

function detailOf(acted: Acted): string | null {
  if (acted.status === 'broken') {
    const { error } = acted
    return error instanceof McpworksError
      ? `nothing was run: ${error.code}`
      : 'the backend broke; what it did is not known'
  }
  if (acted.status === 'protocol-error') return `JSON-RPC ${acted.rpcCode}`
  return 'detail' in acted ? acted.detail : null
}
