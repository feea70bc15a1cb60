import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/**
 * Two ends of a Unix socket, the second of them to be handed to a program. Node reads nothing from a program's descriptor
 * 0 that it makes itself. `path` must be in a directory that nobody else may enter, and is gone afterwards.
 * @throws what the system says to such a socket
 */
export async function connectedPair(path: string): Promise<readonly [ours: Socket, theirs: Socket]> {
  const server = createServer({ pauseOnConnect: true })
  server.listen(path)
  await once(server, 'listening')
  try {
    const accepted = once(server, 'connection') as Promise<[Socket]>
    const ours = connect(path)
    const [[theirs]] = await Promise.all([accepted, once(ours, 'connect')])
    return [ours, theirs]
  } finally {
    server.close()
  }
}
