import type { CallExplanation } from '../../audit/index.ts'
import type { Attributes, Span } from './span.ts'
import { readTraceparent, spanIdOf, traceIdOf } from './trace-context.ts'

/** A call that was refused or has ended, and what its spans need besides. */
export interface EndedCall {
  readonly explained: CallExplanation
  readonly protocolVersion: string | null
  readonly requestId: string | null
  /** Id of the call that was made from outside: of this one, unless code that runs made it. */
  readonly outermost: string
}

/** The two spans of a call. */
export interface CallSpans {
  /** The call, as the MCP conventions of OpenTelemetry have it. */
  readonly call: Span
  /** `policy.decide`, below it. */
  readonly decision: Span
}

/**
 * A call as spans: one of the kind server by the name `{mcp.method.name} {gen_ai.tool.name}`, from the decision to the
 * outcome, and `policy.decide` below it with what decided and why. Its parent is the span that the caller sent
 * (SEP-414), or that of the call whose code made it. Ids are made from those of the call and its records, so that a call
 * that is sent again gives the same spans. Holds neither arguments nor results.
 */
export function spansOfCall(ended: EndedCall): CallSpans {
  const { explained, outermost } = ended
  const { call, parentCall, decision } = explained
  const caller = readTraceparent(explained.trace)
  const traceId = caller?.traceId ?? traceIdOf(outermost)
  const spanId = spanIdOf('call', call)
  const decidedNs = nanoseconds(explained.time)
  const tookNs = BigInt(Math.max(0, Math.round(decision.durationUs))) * 1000n
  const startNs = tookNs < decidedNs ? decidedNs - tookNs : 0n
  const endNs = nanoseconds(explained.outcome?.time ?? explained.time)
  const record = decisionRecord(explained)
  const shared = sharedAttributes(explained)
  return {
    call: {
      traceId,
      spanId,
      parentSpanId: parentCall === null ? (caller?.spanId ?? null) : spanIdOf('call', parentCall),
      name: spanName(explained),
      kind: parentCall === null ? 'server' : 'internal',
      startNs,
      // A clock that was set back during the call must not give a span that ends before it begins.
      endNs: endNs < decidedNs ? decidedNs : endNs,
      attributes: { ...shared, ...callAttributes(ended) },
      error: errorOf(explained),
    },
    decision: {
      traceId,
      spanId: spanIdOf('decision', record?.id ?? call),
      parentSpanId: spanId,
      name: 'policy.decide',
      kind: 'internal',
      startNs,
      endNs: decidedNs,
      attributes: { ...shared, ...decisionAttributes(explained) },
      error: null,
    },
  }
}

/** Low in cardinality: a name that nothing has is the caller's, and would make a name of its own of each try. */
function spanName({ what, facts }: CallExplanation): string {
  const isKnown = facts.definitionHash !== null && what.method !== 'resources/read'
  return isKnown ? `${what.method} ${what.tool}` : what.method
}

function sharedAttributes({ call, namespace, run, who }: CallExplanation): Attributes {
  return {
    'mcpworks.namespace': namespace,
    'mcpworks.call': call,
    'mcpworks.run': run,
    'mcpworks.principal': who.id,
    'user.id': who.id,
    'session.id': run,
  }
}

function callAttributes({ explained, protocolVersion, requestId }: EndedCall): Attributes {
  const { what, who, facts, outcome, parentCall, decision } = explained
  const isTool = what.method === 'tools/call'
  return {
    'mcp.method.name': what.method,
    'mcp.protocol.version': protocolVersion ?? undefined,
    'jsonrpc.request.id': requestId ?? undefined,
    'gen_ai.operation.name': isTool ? 'execute_tool' : undefined,
    'gen_ai.tool.name': isTool ? what.tool : undefined,
    'gen_ai.prompt.name': what.method === 'prompts/get' ? what.tool : undefined,
    'mcp.resource.uri': what.method === 'resources/read' ? what.tool : undefined,
    'client.address': who.address === '' ? undefined : who.address,
    'error.type': errorType(explained) ?? undefined,
    'mcpworks.service': what.service ?? undefined,
    'mcpworks.door': what.door,
    'mcpworks.parent_call': parentCall ?? undefined,
    'mcpworks.principal.type': who.type,
    'mcpworks.authentication.method': who.authentication,
    'mcpworks.definition_hash': facts.definitionHash ?? undefined,
    'mcpworks.code_hash': facts.codeHash ?? undefined,
    'mcpworks.sandbox': facts.sandbox ?? undefined,
    'mcpworks.decision.effect': decision.effect,
    'mcpworks.decision.basis': decision.basis,
    'mcpworks.outcome.status': outcome?.status,
    'mcpworks.outcome.inner_calls': outcome?.innerCalls,
    'mcpworks.outcome.bytes_out': outcome?.bytesOut ?? undefined,
    'mcpworks.outcome.cpu_ms': outcome?.cpuMs ?? undefined,
    'mcpworks.outcome.max_rss_bytes': outcome?.maxRssBytes ?? undefined,
    'mcpworks.outcome.exit_code': outcome?.exitCode ?? undefined,
    'mcpworks.outcome.failed_invariants': someOf(outcome?.failedInvariants ?? []),
    'mcpworks.labels': someOf(outcome?.labelsAfter ?? facts.labels),
    ...recordAttributes(explained.records.at(-1)),
  }
}

function decisionAttributes(explained: CallExplanation): Attributes {
  const { decision } = explained
  return {
    'mcpworks.decision.effect': decision.effect,
    'mcpworks.decision.basis': decision.basis,
    'mcpworks.decision.rules': decision.rules.map(({ id }) => id),
    'mcpworks.decision.reasons': someOf(decision.rules.flatMap(({ reason }) => (reason === null ? [] : [reason]))),
    'mcpworks.decision.errors': someOf(decision.errors),
    'mcpworks.decision.obligations': someOf(decision.obligations),
    'mcpworks.decision.policy_set_hash': decision.policySetHash ?? undefined,
    'mcpworks.decision.engine': decision.engine ?? undefined,
    'mcpworks.decision.duration_us': decision.durationUs,
    'mcpworks.decision.approval': decision.approval?.id,
    ...recordAttributes(decisionRecord(explained)),
  }
}

type RecordPlace = CallExplanation['records'][number]

function decisionRecord({ records }: CallExplanation): RecordPlace | undefined {
  return records.find(({ kind }) => kind === 'decision')
}

/** Where in the log the record is that says it, for whoever wants to have it proven: `mcpworks audit prove CALL`. */
function recordAttributes(record: RecordPlace | undefined): Attributes {
  return { 'mcpworks.record.id': record?.id, 'mcpworks.record.leaf_index': record?.index }
}

/** Class of the failure, as `error.type` wants it; `null` where the call did not fail. */
export function errorType({ decision, outcome }: CallExplanation): string | null {
  if (decision.effect !== 'allow') return 'denied'
  if (outcome === null || outcome.status === 'ok' || outcome.status === 'input-required') return null
  return outcome.status.replaceAll('-', '_')
}

function errorOf(explained: CallExplanation): string | null {
  const type = errorType(explained)
  if (type === null) return null
  const reasons = explained.decision.rules.flatMap(({ reason }) => (reason === null ? [] : [reason]))
  const why = type === 'denied' ? reasons.join(' ') : (explained.outcome?.detail ?? '')
  return why === '' ? `${type}: ${explained.decision.basis}` : why
}

function someOf(values: readonly string[]): readonly string[] | undefined {
  return values.length === 0 ? undefined : values
}

function nanoseconds(time: string): bigint {
  const milliseconds = Date.parse(time)
  return milliseconds > 0 ? BigInt(milliseconds) * 1_000_000n : 0n
}
