import { connect, type Socket } from 'node:net'

/** Bytes sent as they are, and everything that came back until the other side closed. */
export interface RawExchange {
  readonly socket: Socket
  /** Resolves when the server has closed the connection. */
  readonly closed: Promise<string>
  /** Resolves with what has come when it holds `text`; rejects when the connection closes before. */
  until(text: string): Promise<string>
}

/** Opens a connection to loopback and sends `bytes`, well-formed or not. */
export function sendBytes(port: number, bytes: string): RawExchange {
  const socket = connect({ host: '127.0.0.1', port })
  let received = ''
  const waiting: (() => void)[] = []
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1')
    for (const look of waiting) look()
  })
  socket.on('error', () => {})
  const closed = new Promise<string>((resolve) => socket.on('close', () => resolve(received)))
  socket.write(bytes)
  return {
    socket,
    closed,
    until: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (received.includes(text)) resolve(received)
        }
        waiting.push(look)
        look()
        void closed.then(() => reject(new Error(`closed before ${JSON.stringify(text)} came: ${received}`)))
      }),
  }
}

/** Status codes of the answers in a raw exchange. */
export function statusesIn(received: string): number[] {
  return [...received.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status))
}
