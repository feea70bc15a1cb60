import type { ExporterState } from '../exporters/open-exporters.ts'
import type { Handlers } from './handler.ts'

/** How far the receivers of the log are. */
export function exporterHandlers(states: () => Promise<readonly ExporterState[]>): Pick<Handlers, 'audit.exporters'> {
  return {
    'audit.exporters': async () => ({
      exporters: (await states()).map((state) => ({
        name: state.name,
        type: state.type,
        position: state.position,
        taken: state.taken,
        refusals: state.refusals,
        rejected: state.rejected,
        dropped: state.dropped,
        failing: state.failing,
        waitingSince: state.waitingSinceMs === null ? null : new Date(state.waitingSinceMs).toISOString(),
      })),
    }),
  }
}
