import { once } from 'node:events'
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { createServer as createStreamServer, type AddressInfo } from 'node:net'

/** A request that a receiver was sent. */
export interface Sent {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  /** Whether it was answered with 2xx. */
  readonly isTaken: boolean
}

/** Somebody that things are sent to, on loopback. */
export interface Receiver<Item> {
  readonly port: number
  readonly sent: readonly Item[]
  /** Resolves as soon as `isSo` of all that was sent. */
  until(isSo: (sent: readonly Item[]) => boolean): Promise<void>
  /** Stops listening and cuts connections off, as if it had been killed; `open` brings it back on the same port. */
  kill(): Promise<void>
  open(): Promise<void>
}

/** What a receiver does with a request; `null` never answers. */
export type Answer = (request: Pick<Sent, 'path' | 'headers' | 'body'>, response: ServerResponse) => number | null

/** Receives over HTTP, or over HTTPS with the certificate that is given. */
export async function httpReceiver(
  answer: Answer,
  tls: { readonly cert: string; readonly key: string } | null = null,
): Promise<Receiver<Sent>> {
  const list = listOf<Sent>()
  const receive = (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = []
    response.on('error', () => {})
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const given = { path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks) }
      const status = answer(given, response)
      if (status !== null) {
        response.statusCode = status
        if (!response.writableEnded) response.end()
      }
      list.add({ ...given, isTaken: status !== null && status < 300 })
    })
  }
  const server: Server = tls === null ? createServer(receive) : createSecureServer(tls, receive)
  server.on('clientError', () => {})
  server.on('tlsClientError', () => {})
  return await listening(server, list, () => server.closeAllConnections())
}

/** Receives syslog over TCP: messages by octet counting, each connection to its end. */
export async function syslogReceiver(): Promise<Receiver<string>> {
  const list = listOf<string>()
  const sockets = new Set<{ destroy(): unknown }>()
  const server = createStreamServer((socket) => {
    sockets.add(socket)
    const chunks: Buffer[] = []
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.on('end', () => {
      for (const message of readOctetCounted(Buffer.concat(chunks).toString('latin1'))) list.add(message)
    })
  })
  return await listening(server, list, () => {
    for (const socket of sockets) socket.destroy()
  })
}

/** Takes a stream apart (RFC 6587 section 3.4.1). Throws where it is not of that form. */
function readOctetCounted(stream: string): string[] {
  const messages: string[] = []
  let at = 0
  while (at < stream.length) {
    const match = /^([1-9]\d*) /.exec(stream.slice(at, at + 10))
    if (match === null) throw new Error('octets are not counted')
    const from = at + match[0].length
    at = from + Number(match[1])
    if (at > stream.length) throw new Error('a message is cut off')
    messages.push(stream.slice(from, at))
  }
  return messages
}

function listOf<Item>() {
  const sent: Item[] = []
  const waiting = new Set<() => void>()
  return {
    sent,
    add(item: Item): void {
      sent.push(item)
      for (const look of waiting) look()
    },
    until: (isSo: (items: readonly Item[]) => boolean): Promise<void> =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!isSo(sent)) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
        look()
      }),
  }
}

async function listening<Item>(
  server: ReturnType<typeof createStreamServer>,
  { sent, until }: Pick<Receiver<Item>, 'sent' | 'until'>,
  cut: () => void,
): Promise<Receiver<Item>> {
  let port = 0
  const open = async (): Promise<void> => {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    port = (server.address() as AddressInfo).port
  }
  await open()
  return {
    port,
    sent,
    until,
    open,
    async kill() {
      const closed = once(server, 'close')
      server.close()
      cut()
      await closed
    },
  }
}
