import type { Publishing } from '../../publishing/index.ts'
import type { Exporting } from '../exporters/open-exporting.ts'
import type { Notifications } from '../notifications/open-notifications.ts'
import type { Place } from './watch-places.ts'

/**
 * All places that the log is handed on to. What is published somewhere else and does not fit is no failure: that has an
 * alarm of its own, with what lies there.
 */
export async function placesOf(
  exporting: Pick<Exporting, 'states'>,
  publishing: Pick<Publishing, 'states'>,
  channels: Pick<Notifications, 'states'>,
): Promise<Place[]> {
  const exporters = await exporting.states()
  return [
    ...exporters.map(({ name, failing, dropped, rejected }) => ({
      name: `exporter ${name}`,
      failing,
      lost: dropped + rejected,
    })),
    ...publishing.states().map(({ name, status, problem }) => ({
      name: `publishing: ${name}`,
      failing: status === 'failing' ? problem : null,
      lost: 0,
    })),
    ...channels.states().map(({ name, failing }) => ({ name: `channel ${name}`, failing, lost: 0 })),
  ]
}
