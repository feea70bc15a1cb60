import type { LogPositionStore, LogReader } from '../../audit/index.ts'
import type { ExportersConfig } from '../../exporters/index.ts'
import { readerNames } from '../log-followers/reader-names.ts'

/** Somebody that the configuration names and who is to have the log. */
interface Awaited {
  readonly name: string
  /** Empty for all. */
  readonly namespaces: readonly string[]
}

/**
 * Who is to have had the texts of a namespace before they go, and how far each has come: receivers and channels of the
 * configuration. Whoever is new and has no position yet is not among them: where it begins is for it to say.
 */
export function awaitedReaders(
  positions: Pick<LogPositionStore, 'find'>,
  exporters: { readonly receivers: readonly Pick<ExportersConfig['receivers'][number], 'name' | 'namespaces'>[] },
  notifications: { readonly channels: readonly { readonly name: string }[] },
): (namespace: string) => Promise<LogReader[]> {
  const awaited: readonly Awaited[] = [
    ...exporters.receivers.map(({ name, namespaces }) => ({ name: readerNames.exporter(name), namespaces })),
    ...notifications.channels.map(({ name }) => ({ name: readerNames.channel(name), namespaces: [] })),
  ]
  return async (namespace) => {
    const readers: LogReader[] = []
    for (const { name, namespaces } of awaited) {
      if (namespaces.length > 0 && !namespaces.includes(namespace)) continue
      const position = await positions.find(name)
      if (position !== null) readers.push({ name, position })
    }
    return readers
  }
}
