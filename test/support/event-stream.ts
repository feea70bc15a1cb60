import { request as send } from 'node:http'
import { createInterface } from 'node:readline'
import type { JsonObject } from '../../src/kernel/index.ts'

/** The event stream that answers a POST, message by message. */
export interface EventStream {
  readonly status: number
  /** The next message, `null` when the stream has ended. */
  next(): Promise<JsonObject | null>
  readonly ended: boolean
  close(): void
}

/** Posts a message to `/mcp/demo` as alice, or as `headers` say, and reads the stream that answers it. */
export function openStream(
  port: number,
  message: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<EventStream> {
  const body = JSON.stringify(message)
  return new Promise((resolve, reject) => {
    const outgoing = send({
      host: '127.0.0.1',
      port,
      method: 'POST',
      path: '/mcp/demo',
      agent: false,
      headers: {
        'Content-Type': 'application/json',
        Accept: 'application/json, text/event-stream',
        Authorization: 'Bearer alice-secret',
        'Content-Length': Buffer.byteLength(body),
        ...headers,
      },
    })
    outgoing.on('error', reject)
    outgoing.on('response', (answer) => {
      answer.on('error', () => {})
      const lines = createInterface({ input: answer })[Symbol.asyncIterator]()
      let ended = false
      answer.on('end', () => (ended = true))
      resolve({
        status: answer.statusCode ?? 0,
        get ended() {
          return ended
        },
        async next() {
          for (;;) {
            const { value, done } = await lines.next()
            if (done === true) return null
            if (value.startsWith('data: ')) return JSON.parse(value.slice(6)) as JsonObject
          }
        },
        close: () => outgoing.destroy(),
      })
    })
    outgoing.end(body)
  })
}
