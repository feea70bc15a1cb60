import type { DecisionLog, LogPositionStore, TreeReader } from '../../audit/index.ts'
import { createCallMetrics, metricsText, type CallMetrics, type MetricFamily } from '../../exporters/index.ts'
import type { Clock } from '../../kernel/index.ts'
import { followLog, type FollowPorts } from '../log-followers/follow-log.ts'
import { createCallRecords } from './call-records.ts'
import { endedCall } from './ended-call.ts'
import type { ExporterState } from './open-exporters.ts'

/** What metrics are made from. */
export interface MetricsOptions {
  readonly decisionLog: Pick<DecisionLog, 'read' | 'health'>
  readonly trees: Pick<TreeReader, 'trees' | 'newestCheckpoint'>
  readonly exporters: () => readonly ExporterState[]
  /** Names of the parts that refuse calls at present. */
  readonly refusing: () => readonly string[]
  readonly sandbox: () => { readonly isReady: boolean; readonly losses: number }
  readonly clock: Clock
  readonly version: string
  readonly intervalMs: number
  readonly pausesMs?: FollowPorts['pausesMs']
  /** Told of what broke on our side. */
  readonly onFailure: (error: unknown) => void
}

/** The metrics of this server. */
export interface Metrics {
  /** In the text format of Prometheus. */
  text(): Promise<string>
  close(): Promise<void>
}

const maxNamespaces = 200

/**
 * Counts what is written to the log from now on, by following it: what calls pass through does not know of metrics.
 * Counters begin at zero with each start, as Prometheus expects of a process.
 */
export async function openMetrics(options: MetricsOptions): Promise<Metrics> {
  const { decisionLog, intervalMs, onFailure, pausesMs = { first: 1000, longest: 60_000 } } = options
  const metrics = createCallMetrics()
  const calls = createCallRecords(decisionLog)
  const following = await followLog(
    {
      reader: 'metrics',
      recordsAtOnce: 100,
      async take(records) {
        for (const stored of records) {
          metrics.countRecord(stored.namespace, stored.kind)
          const ended = await endedCall(stored, calls).catch((error: unknown) => {
            onFailure(error)
            return null
          })
          if (ended !== null) metrics.countCall(ended.explained)
        }
        return { done: records.length, refused: null }
      },
      onChange: () => {},
    },
    { decisionLog, positions: forgetful(), pausesMs, onFailure },
  )
  const timer = setInterval(() => following.wake(), intervalMs)
  timer.unref()
  return {
    async text() {
      const families = await allFamilies(metrics, options)
      return metricsText(families)
    },
    async close() {
      clearInterval(timer)
      await following.close()
    },
  }
}

/** Each start counts from the log's end: a position that was kept would count what happened while nobody was here. */
function forgetful(): LogPositionStore {
  return { find: async () => null, keep: async () => {} }
}

async function allFamilies(metrics: CallMetrics, options: MetricsOptions): Promise<MetricFamily[]> {
  const { decisionLog, exporters, refusing, clock, version } = options
  const nowMs = clock.nowMs()
  const sandbox = options.sandbox()
  const states = exporters()
  const each = (read: (state: ExporterState) => number): MetricFamily['samples'] =>
    states.map((state) => ({ suffix: '', labels: { exporter: state.name, type: state.type }, value: read(state) }))
  return [
    gauge('mcpworks_build_info', 'The version that runs.', [{ suffix: '', labels: { version }, value: 1 }]),
    gauge('mcpworks_up', 'Whether calls are taken: 0 while some part refuses them.', plain(refusing().length === 0)),
    gauge('mcpworks_decision_log_up', 'Whether records are written durably.', plain(decisionLog.health().ok)),
    gauge('mcpworks_sandbox_up', 'Whether hosted code can run.', plain(sandbox.isReady)),
    counter('mcpworks_sandbox_executor_losses_total', 'Sandbox executors that were lost.', plain(sandbox.losses)),
    gauge('process_resident_memory_bytes', 'Resident memory of the server.', plain(process.memoryUsage.rss())),
    counter('process_cpu_seconds_total', 'Processor time of the server.', plain(cpuSeconds())),
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
  { decisionLog, trees }: Pick<MetricsOptions, 'decisionLog' | 'trees'>,
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
    const [newest] = await decisionLog.read({ namespace, descending: true, limit: 1 })
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

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

function plain(value: number | boolean): MetricFamily['samples'] {
  return [{ suffix: '', labels: {}, value: Number(value) }]
}

function gauge(name: string, help: string, samples: MetricFamily['samples']): MetricFamily {
  return { name, help, type: 'gauge', samples }
}

function counter(name: string, help: string, samples: MetricFamily['samples']): MetricFamily {
  return { name, help, type: 'counter', samples }
}
