import type { DecisionLog, LogPositionStore, TreeReader } from '../../audit/index.ts'
import { createCallMetrics, type CallMetrics, type MetricFamily } from '../../exporters/index.ts'
import type { Clock } from '../../kernel/index.ts'
import { followLog, type FollowPorts } from '../log-followers/follow-log.ts'
import { createCallRecords } from './call-records.ts'
import { endedCall } from './ended-call.ts'
import type { ExporterState } from './open-exporters.ts'
import { counter, gauge } from './metric-families.ts'

/** What metrics are made from. */
export interface MetricsOptions {
  readonly records: Pick<DecisionLog, 'read'>
  /** Where the reader `metrics` is. One that is kept over the end of the process would count what happened meanwhile. */
  readonly positions: LogPositionStore
  readonly trees: Pick<TreeReader, 'trees' | 'newestCheckpoint'>
  readonly exporters: () => readonly ExporterState[]
  readonly clock: Clock
  readonly intervalMs: number
  readonly pausesMs?: FollowPorts['pausesMs']
  /** Told of what broke on our side. */
  readonly onFailure: (error: unknown) => void
}

/** What the log and the receivers of it tell. */
export interface Metrics {
  families(): Promise<MetricFamily[]>
  close(): Promise<void>
}

const maxNamespaces = 200

/**
 * Counts what is written to the log from now on, by following it: what calls pass through does not know of metrics.
 * Counters begin at zero, as Prometheus expects of what was started anew.
 */
export async function openMetrics(options: MetricsOptions): Promise<Metrics> {
  const { records, positions, intervalMs, onFailure, pausesMs = { first: 1000, longest: 60_000 } } = options
  const metrics = createCallMetrics()
  const calls = createCallRecords(records)
  const following = await followLog(
    {
      reader: 'metrics',
      recordsAtOnce: 100,
      async take(taken) {
        for (const stored of taken) {
          metrics.countRecord(stored.namespace, stored.kind)
          const ended = await endedCall(stored, calls).catch((error: unknown) => {
            onFailure(error)
            return null
          })
          if (ended !== null) metrics.countCall(ended.explained)
        }
        return { done: taken.length, refused: null }
      },
      onChange: () => {},
    },
    { decisionLog: records, positions, pausesMs, onFailure },
  )
  const timer = setInterval(() => following.wake(), intervalMs)
  timer.unref()
  return {
    families: () => allFamilies(metrics, options),
    async close() {
      clearInterval(timer)
      await following.close()
    },
  }
}

async function allFamilies(metrics: CallMetrics, options: MetricsOptions): Promise<MetricFamily[]> {
  const { exporters, clock } = options
  const nowMs = clock.nowMs()
  const states = exporters()
  const each = (read: (state: ExporterState) => number): MetricFamily['samples'] =>
    states.map((state) => ({ suffix: '', labels: { exporter: state.name, type: state.type }, value: read(state) }))
  return [
    ...metrics.families(),
    ...(await logFamilies(options, nowMs)),
    gauge(
      'mcpworks_exporter_up',
      'Whether a receiver of the log took what it was last sent.',
      each(({ failing }) => (failing === null ? 1 : 0)),
    ),
    gauge(
      'mcpworks_exporter_oldest_waiting_seconds',
      'Age of the oldest record that is known to wait for a receiver.',
      each(({ waitingSinceMs }) => (waitingSinceMs === null ? 0 : Math.max(0, nowMs - waitingSinceMs) / 1000)),
    ),
    counter(
      'mcpworks_exporter_records_total',
      'Records that a receiver is done with.',
      each(({ taken }) => taken),
    ),
    counter(
      'mcpworks_exporter_refusals_total',
      'Attempts that failed and are made again.',
      each(({ refusals }) => refusals),
    ),
    counter(
      'mcpworks_exporter_rejected_total',
      'Spans that a receiver took and does not keep, as it says.',
      each(({ rejected }) => rejected),
    ),
    counter(
      'mcpworks_exporter_dropped_total',
      'Records that a receiver will never take.',
      each(({ dropped }) => dropped),
    ),
  ]
}

/** How far signing is behind. Of the first two hundred namespaces. */
async function logFamilies(
  { records, trees }: Pick<MetricsOptions, 'records' | 'trees'>,
  nowMs: number,
): Promise<MetricFamily[]> {
  const open = new Map<string, { readonly period: string; readonly firstIndex: number }>()
  for (const { namespace, period, firstIndex } of await trees.trees()) {
    if (namespace === null) continue
    if (open.has(namespace) || open.size < maxNamespaces) open.set(namespace, { period, firstIndex })
  }
  const ages: MetricFamily['samples'][number][] = []
  const unsigned: MetricFamily['samples'][number][] = []
  for (const [namespace, { period, firstIndex }] of open) {
    const checkpoint = await trees.newestCheckpoint(namespace, period)
    const [newest] = await records.read({ namespace, descending: true, limit: 1 })
    const signed = firstIndex + (checkpoint?.size ?? 0)
    const labels = { namespace }
    const waiting = Math.max(0, (newest?.index ?? -1) + 1 - signed)
    unsigned.push({ suffix: '', labels, value: waiting })
    if (checkpoint !== null) ages.push({ suffix: '', labels, value: Math.max(0, nowMs - checkpoint.timeMs) / 1000 })
  }
  return [
    gauge(
      'mcpworks_checkpoint_age_seconds',
      'Age of the newest signed checkpoint; it grows while nothing is recorded.',
      ages,
    ),
    gauge('mcpworks_unsigned_records', 'Records that are under no signed checkpoint yet.', unsigned),
  ]
}
