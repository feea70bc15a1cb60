import type { DecisionLog, LogPositionStore, StoredRecord } from '../../audit/index.ts'
import type { GuardedFetch, GuardedStream } from '../../egress/index.ts'
import type { ExportersConfig, ReceiverConfig } from '../../exporters/index.ts'
import type { Clock } from '../../kernel/index.ts'
import {
  followLog,
  type FollowPorts,
  type Following,
  type FollowState,
  type LogFollower,
} from '../log-followers/follow-log.ts'
import { readerNames } from '../log-followers/reader-names.ts'
import { createCallRecords } from './call-records.ts'
import { exportRecords, type ExportCounts, type ExportEvents, type RecordExport } from './export-records.ts'
import type { OperatorLines } from './operator-lines.ts'
import { fileReceiver, otlpReceiver, syslogReceiver, webhookReceiver, type ReceiverPorts } from './receivers.ts'

/** What exporting stands on. */
export interface ExporterOptions {
  readonly config: ExportersConfig
  readonly records: Pick<DecisionLog, 'read'>
  readonly positions: LogPositionStore
  readonly fetch: GuardedFetch
  readonly stream: GuardedStream
  readonly clock: Clock
  readonly log: OperatorLines
  readonly version: string
  readonly pausesMs?: FollowPorts['pausesMs']
}

/** Where an exporter is. */
export interface ExporterState extends FollowState, Readonly<ExportCounts> {
  readonly name: string
  readonly type: ReceiverConfig['type']
}

/** The exporters at work. */
export interface Exporters {
  states(): readonly ExporterState[]
  close(): Promise<void>
}

/** Few enough that turning them into what is sent does not keep calls waiting for long. */
const recordsAtOnce = 100
/** Lines that share a sync of the disk: fewer than a file looks for at its end. */
const linesAtOnce = 250

/**
 * Sends the log to each receiver as it grows: from the durable log and by a position of its own, so that no call waits
 * for a receiver, none waits for another, and one that was away is sent everything once it is back.
 */
export async function openExporters(options: ExporterOptions): Promise<Exporters> {
  const {
    config,
    records: decisionLog,
    positions,
    log,
    pausesMs = { first: options.config.intervalMs, longest: 60_000 },
  } = options
  const onFailure = (error: unknown): void => log.error({ err: error }, 'the log could not be read for exporters')
  const ports = { decisionLog, positions, pausesMs, onFailure }
  const open = await Promise.all(
    config.receivers.map(async (receiver) => {
      const counts = { rejected: 0, dropped: 0 }
      const following = await followLog(followerOf(receiver, counts, options), ports)
      return { receiver, counts, following }
    }),
  )
  const wake = (): void => {
    for (const { following } of open) following.wake()
  }
  const timer = open.length === 0 ? null : setInterval(wake, config.intervalMs)
  timer?.unref()
  wake()
  return {
    states: () => open.map(({ receiver, counts, following }) => stateOf(receiver, counts, following)),
    async close() {
      if (timer !== null) clearInterval(timer)
      await Promise.all(open.map(async ({ following }) => await following.close()))
    },
  }
}

function stateOf({ name, type }: ReceiverConfig, counts: ExportCounts, following: Following): ExporterState {
  return { name, type, ...following.state(), ...counts }
}

function followerOf(receiver: ReceiverConfig, counts: ExportCounts, options: ExporterOptions): LogFollower {
  const { config, records, fetch, stream, clock, version, log } = options
  const ports: ReceiverPorts = {
    calls: createCallRecords(records),
    fetch,
    stream,
    clock,
    version,
    networks: config.networks,
    secret: config.secrets[receiver.name] ?? null,
  }
  const { name, from, namespaces } = receiver
  const place = { reader: readerNames.exporter(name), recordsAtOnce, from }
  const events = eventsOf(name, log)
  const only = new Set(namespaces)
  switch (receiver.type) {
    case 'otlp':
      return exportRecords(place, within(only, otlpReceiver(receiver, ports)), counts, events)
    case 'webhook':
      return exportRecords(
        { ...place, recordsAtOnce: receiver.batch },
        within(only, webhookReceiver(receiver, ports)),
        counts,
        events,
      )
    case 'syslog':
      return exportRecords(place, within(only, syslogReceiver(receiver, ports)), counts, events)
    case 'file':
      return exportRecords(
        { ...place, recordsAtOnce: linesAtOnce },
        within(only, fileReceiver(receiver, ports)),
        counts,
        events,
      )
  }
}

/** Only records of these namespaces; of all where there are none. */
function within<Item>(namespaces: ReadonlySet<string>, { convert, send }: RecordExport<Item>): RecordExport<Item> {
  if (namespaces.size === 0) return { convert, send }
  const isMeant = ({ namespace }: StoredRecord): boolean => namespaces.has(namespace)
  return { convert: async (stored) => (isMeant(stored) ? await convert(stored) : null), send }
}

function eventsOf(exporter: string, log: OperatorLines): ExportEvents {
  return {
    rejected: (count, note) =>
      log.error({ exporter, count, note }, 'a receiver of the log took spans and says that it will not keep them'),
    dropped: (record, why) =>
      log.error({ exporter, record, err: why }, 'a receiver of the log will not take a record: it is left out'),
    onChange(why) {
      if (why === null) log.info({ exporter }, 'a receiver of the log takes records again')
      else log.error({ exporter, why }, 'a receiver of the log does not take records; it is tried again')
    },
  }
}
