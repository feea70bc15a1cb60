import type { LogHealth } from '../../audit/index.ts'
import type { MetricFamily } from '../../exporters/index.ts'
import { counter, gauge, plain } from './metric-families.ts'

/** What the process knows of itself. */
export interface ServerFacts {
  readonly version: string
  /** Names of the parts that refuse calls at present. */
  readonly refusing: readonly string[]
  readonly log: LogHealth
  readonly sandbox: { readonly isReady: boolean; readonly losses: number }
  /** Whether the thread that hands the log on answers, and how often it was lost. */
  readonly exporting: { readonly isUp: boolean; readonly lost: number }
  /** Texts that retention took before receivers had them. */
  readonly lost: readonly { readonly name: string; readonly type: string; readonly records: number }[]
}

/** The metrics that do not come from the log. */
export function serverMetrics({ version, refusing, log, sandbox, exporting, lost }: ServerFacts): MetricFamily[] {
  const { user, system } = process.cpuUsage()
  return [
    gauge('mcpworks_build_info', 'The version that runs.', [{ suffix: '', labels: { version }, value: 1 }]),
    gauge('mcpworks_up', 'Whether calls are taken: 0 while some part refuses them.', plain(refusing.length === 0)),
    gauge('mcpworks_decision_log_up', 'Whether records are written durably.', plain(log.ok)),
    gauge('mcpworks_sandbox_up', 'Whether hosted code can run.', plain(sandbox.isReady)),
    counter('mcpworks_sandbox_executor_losses_total', 'Sandbox executors that were lost.', plain(sandbox.losses)),
    gauge(
      'mcpworks_exporting_up',
      'Whether the thread that hands the log on answers: while it does not, what it counts is missing.',
      plain(exporting.isUp),
    ),
    counter(
      'mcpworks_exporting_lost_total',
      'How often the thread that hands the log on ended by itself; it is started again, and counts from zero.',
      plain(exporting.lost),
    ),
    counter(
      'mcpworks_exporter_lost_total',
      'Records whose texts retention took before a receiver had them.',
      lost.map(({ name, type, records }) => ({ suffix: '', labels: { exporter: name, type }, value: records })),
    ),
    gauge('process_resident_memory_bytes', 'Resident memory of the server.', plain(process.memoryUsage.rss())),
    counter('process_cpu_seconds_total', 'Processor time of the server.', plain((user + system) / 1e6)),
  ]
}
