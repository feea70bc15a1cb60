import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** A way to a PostgreSQL server that a test can disturb: everything sent there comes through it. */
export interface DatabasePassage {
  /** The database behind it, as the caller is to know it. */
  readonly url: string
  /** Keeps what comes from here on, in both directions, of the connections there are. They stay open. */
  hold(): void
  /** Sends on what was kept. */
  release(): void
  /** Breaks every connection and refuses new ones. */
  cut(): void
  /** Takes connections again. */
  open(): void
}

/** Makes a passage to the server of a URL whose host is the directory of a unix socket. Gone when the running test is. */
export async function databasePassage(databaseUrl: string): Promise<DatabasePassage> {
  const behind = new URL(databaseUrl)
  const socketPath = `${behind.searchParams.get('host') ?? ''}/.s.PGSQL.5432`
  const sockets = new Set<Socket>()
  let isCut = false
  const server = createServer((near) => {
    if (isCut) {
      near.destroy()
      return
    }
    const far = connect(socketPath)
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.on('data', (chunk) => to.write(chunk))
      from.on('end', () => to.end())
      from.on('error', () => to.destroy())
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const each = (act: (socket: Socket) => void): void => sockets.forEach(act)
  onTestFinished(() => {
    server.close()
    each((socket) => socket.destroy())
  })
  return {
    url: `postgres://${behind.username}:${behind.password}@127.0.0.1:${port}${behind.pathname}`,
    hold: () => each((socket) => socket.pause()),
    release: () => each((socket) => socket.resume()),
    cut() {
      isCut = true
      each((socket) => socket.destroy())
    },
    open() {
      isCut = false
    },
  }
}
