import type { CallExplanation } from '../../audit/index.ts'
import { errorType } from '../otlp/spans-of-call.ts'
import { createCounter, createHistogram, type Labels, type MetricFamily } from './series.ts'

/** Counts what the log tells. */
export interface CallMetrics {
  /** Any record. */
  countRecord(namespace: string, kind: string): void
  /** A call that was refused or has ended. */
  countCall(call: CallExplanation): void
  families(): MetricFamily[]
}

const maxSeries = 2000
/** Seconds, as the MCP conventions of OpenTelemetry advise. */
const bounds = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300]
const other = '(other)'

/**
 * Makes the counters. However many tools and namespaces there are, and whatever names callers try, there are at most
 * 2,000 series of each metric and a few more: a tool that does not exist is `(unknown)`, and what comes when there is no
 * more room is `(other)`.
 */
export function createCallMetrics(): CallMetrics {
  const fold = (labels: Labels): Labels =>
    Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, kept.has(name) ? value : other]))
  const records = createCounter('mcpworks_records_total', 'Records of the decision log, by kind.', maxSeries, fold)
  const decisions = createCounter(
    'mcpworks_decisions_total',
    'Calls that were decided on, by what policy said and on what basis.',
    maxSeries,
    fold,
  )
  const calls = createCounter(
    'mcpworks_calls_total',
    'Calls that were refused or have ended, by tool and how.',
    maxSeries,
    fold,
  )
  const durations = createHistogram(
    'mcp_server_operation_duration_seconds',
    'How long allowed calls took, by method and tool, from the decision to the outcome.',
    bounds,
    maxSeries / 4,
    fold,
  )
  return {
    countRecord: (namespace, kind) => records.add({ namespace, kind }, 1),
    countCall(call) {
      const { namespace, what, decision, outcome, facts } = call
      const isKnown = facts.definitionHash !== null && what.method !== 'resources/read'
      const isManagement = what.door === 'management'
      const tool = isKnown ? what.tool : isManagement ? '' : '(unknown)'
      const service = isKnown ? (what.service ?? '') : ''
      const { effect, basis } = decision
      decisions.add({ namespace, door: what.door, effect, basis }, 1)
      const status = effect === 'allow' ? (outcome?.status ?? 'abandoned') : 'denied'
      calls.add({ namespace, method: what.method, service, tool, status }, 1)
      if (effect !== 'allow' || outcome?.durationMs == null) return
      const labels = {
        mcp_method_name: what.method,
        gen_ai_tool_name: tool,
        error_type: errorType(call) ?? '',
        mcpworks_namespace: namespace,
      }
      durations.add(labels, outcome.durationMs / 1000)
    },
    families: () => [records, decisions, calls, durations].map((series) => series.family()),
  }
}

/** Labels with few values, which stay where there is no more room. */
const kept: ReadonlySet<string> = new Set(['kind', 'effect', 'basis', 'door', 'status', 'error_type'])
