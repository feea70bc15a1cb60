import type { TreeReader } from '../../audit/index.ts'
import { metricsMediaType } from '../../exporters/index.ts'
import { metricsRoute, type Route } from '../../http/index.ts'
import { openExporters, type ExporterOptions, type Exporters } from './open-exporters.ts'
import { openMetrics, type MetricsOptions } from './open-metrics.ts'

/** What the log is handed on with. */
export interface ExportingOptions extends ExporterOptions {
  readonly decisionLog: MetricsOptions['decisionLog']
  readonly trees: Pick<TreeReader, 'trees' | 'newestCheckpoint'>
  readonly refusing: MetricsOptions['refusing']
  readonly sandbox: MetricsOptions['sandbox']
}

/** The log on its way to others: to receivers, and as metrics for whoever asks. */
export interface Exporting extends Exporters {
  /** `/metrics`, where there is a token for it. */
  readonly routes: readonly Route[]
}

/** Opens the exporters and, where it can be read, what counts. */
export async function openExporting(options: ExportingOptions): Promise<Exporting> {
  const { config, log } = options
  const exporters = await openExporters(options)
  if (config.metricsToken === '') return { ...exporters, routes: [] }
  const metrics = await openMetrics({
    ...options,
    exporters: exporters.states,
    intervalMs: config.intervalMs,
    onFailure: (error) => log.error({ err: error }, 'the log could not be read for metrics'),
  })
  return {
    states: exporters.states,
    routes: [metricsRoute({ token: config.metricsToken, mediaType: metricsMediaType, text: metrics.text })],
    async close() {
      await metrics.close()
      await exporters.close()
    },
  }
}
