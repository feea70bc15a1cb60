import { signWebhook } from '../../egress/index.ts'
import { sha256, type JsonObject } from '../../kernel/index.ts'
import { taken, type Delivery } from '../delivery.ts'
import { postToReceiver, type SendPorts } from '../post-to-receiver.ts'

/** An event for another system. */
export interface ExportedEvent {
  /** The record's: the same each time that the event is sent. */
  readonly id: string
  readonly body: JsonObject
}

/** A webhook. */
export interface WebhookReceiver {
  readonly url: string
  readonly key: Uint8Array
  readonly networks: readonly string[]
  /** `application/json` for one event, and what says so for several. */
  readonly mediaTypes: { readonly one: string; readonly several: string }
  /** Whether one event is sent by itself, and not as an array of one. */
  readonly single: boolean
}

/**
 * Sends events in their order, signed as Standard Webhooks has it. `webhook-id` is made of the ids of the events, so that
 * the same events are the same message whenever they are sent. Any 2xx is taken, everything else is to be sent again.
 * Never rejects.
 */
export async function sendEvents(
  { url, key, networks, mediaTypes, single }: WebhookReceiver,
  events: readonly ExportedEvent[],
  ports: SendPorts,
): Promise<Delivery> {
  const [first] = events
  if (first === undefined) return taken
  const body = JSON.stringify(single ? first.body : events.map((event) => event.body))
  const id = single ? first.id : sha256(events.map((event) => event.id).join('\n'))
  const headers = {
    'content-type': single ? mediaTypes.one : mediaTypes.several,
    ...signWebhook(key, id, ports.clock.nowMs(), body),
  }
  const posted = await postToReceiver({ url, headers, networks }, body, ports)
  return posted.ok ? taken : posted.delivery
}
