import { hostname } from 'node:os'
import type { StoredRecord } from '../../audit/index.ts'
import { webhookKey, type GuardedStream } from '../../egress/index.ts'
import {
  encodeSpans,
  LineFile,
  presets,
  presetSpans,
  sendEvents,
  sendMessages,
  sendSpans,
  spansOfCall,
  syslogMessage,
  type ExportedEvent,
  type FileConfig,
  type Line,
  type OtlpConfig,
  type SendPorts,
  type Span,
  type SyslogConfig,
  type WebhookConfig,
} from '../../exporters/index.ts'
import { isJsonObject, type JsonObject } from '../../kernel/index.ts'
import { eventOfRecord } from '../event-of-record.ts'
import type { CallRecords } from './call-records.ts'
import { endedCall } from './ended-call.ts'
import type { RecordExport } from './export-records.ts'

/** What receivers are made of. */
export interface ReceiverPorts extends Omit<SendPorts, 'signal'> {
  readonly calls: CallRecords
  readonly stream: GuardedStream
  readonly version: string
  readonly networks: readonly string[]
  /** Of this receiver; `null` where it has none. */
  readonly secret: string | null
}

/** A receiver of spans: two for each call that was refused or has ended. */
export function otlpReceiver(config: OtlpConfig, ports: ReceiverPorts): RecordExport<readonly Span[]> {
  const preset = presets[config.preset]
  const receiver = {
    url: `${(config.url ?? preset.url ?? '').replace(/\/+$/, '')}${preset.path}`,
    headers: preset.headers(ports.secret, config.project),
    networks: ports.networks,
  }
  const source = {
    resource: { 'service.name': 'mcpworks', 'service.version': ports.version, ...preset.resource(config.project) },
    version: ports.version,
  }
  return {
    async convert(stored) {
      const ended = await endedCall(stored, ports.calls)
      if (ended === null || (!config.management && ended.explained.what.door === 'management')) return null
      return presetSpans(config.preset, ended.explained, spansOfCall(ended))
    },
    send(calls, signal) {
      return sendSpans(receiver, encodeSpans(calls.flat(), source), { ...ports, signal })
    },
  }
}

const mediaTypes = {
  record: { one: 'application/json', several: 'application/json' },
  ocsf: { one: 'application/json', several: 'application/json' },
  cloudevents: { one: 'application/cloudevents+json', several: 'application/cloudevents-batch+json' },
} as const

/** A receiver of signed events. */
export function webhookReceiver(config: WebhookConfig, ports: ReceiverPorts): RecordExport<ExportedEvent> {
  const { url, format, batch } = config
  const receiver = {
    url,
    key: webhookKey(ports.secret ?? ''),
    networks: ports.networks,
    mediaTypes: mediaTypes[format],
    single: batch === 1,
  }
  return {
    async convert(stored) {
      const body = await eventOfRecord(stored, format, ports.calls, ports.version)
      return body === null ? null : { id: stored.id, body }
    },
    send: (events, signal) => sendEvents(receiver, events, { ...ports, signal }),
  }
}

/** Over UDP no more than what passes without being taken apart on most ways (RFC 5426 section 3.2). */
const maxDatagramBytes = 2048

/** A receiver of syslog. */
export function syslogReceiver(config: SyslogConfig, ports: ReceiverPorts): RecordExport<string> {
  const { url, format, facility } = config
  const maxBytes = url.startsWith('udp:') ? Math.min(config.maxBytes, maxDatagramBytes) : config.maxBytes
  return {
    async convert(stored) {
      const event = await eventOfRecord(stored, format, ports.calls, ports.version)
      if (event === null) return null
      const message = {
        facility,
        severity: severityOf(stored, event),
        timeMs: stored.timeMs,
        hostname: hostname(),
        version: ports.version,
        messageId: stored.kind,
        text: JSON.stringify(event),
      }
      return syslogMessage(message, stored.id, maxBytes)
    },
    send: (messages, signal) => sendMessages({ url, networks: ports.networks }, messages, ports.stream, signal),
  }
}

/** A file of JSON lines. */
export function fileReceiver(config: FileConfig, ports: Pick<ReceiverPorts, 'calls' | 'version'>): RecordExport<Line> {
  const file = new LineFile({ ...config, idOf: idOfLine })
  return {
    async convert(stored) {
      const event = await eventOfRecord(stored, config.format, ports.calls, ports.version)
      if (event === null) return null
      const text = JSON.stringify(event)
      return { id: idOfLine(text) ?? stored.id, text }
    },
    send: (lines) => file.take(lines),
  }
}

/** The id of an event, in whichever form it is. */
function idOfLine(line: string): string | null {
  const event = objectOf(line)
  const metadata = event?.['metadata']
  const id = event?.['id'] ?? (isJsonObject(metadata) ? metadata['uid'] : null)
  return typeof id === 'string' ? id : null
}

function objectOf(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text)
    return isJsonObject(value) ? value : null
  } catch {
    // A line of something else: it is not written to.
    return null
  }
}

/** What somebody should look at is a warning, what was refused a notice, the rest informational. */
function severityOf({ kind, json }: StoredRecord, event: JsonObject): number {
  if (kind === 'alarm' || kind === 'quarantine') return 4
  if (event['is_alert'] === true || (kind === 'outcome' && json.includes('"pass":false'))) return 4
  return kind === 'denied-at-door' || (kind === 'decision' && json.includes('"effect":"deny"')) ? 5 : 6
}
