import { createServer, request as send, type Server } from 'node:http'

/**
 * A forwarder on loopback that adds a credential, because the official runner cannot send one to a server. It changes
 * nothing else: Host and Origin go through as they came, so that it is the server's own checks that the runner sees,
 * and answers are streamed as they arrive.
 */
export async function startCredentialProxy(
  target: string,
  credential: string,
): Promise<{ url: string; close(): Promise<void> }> {
  const { hostname, port, pathname } = new URL(target)
  const server: Server = createServer((incoming, outgoing) => {
    const headers = [...incoming.rawHeaders, 'Authorization', `Bearer ${credential}`]
    const upstream = send(
      { hostname, port, path: pathname, method: incoming.method ?? 'GET', headers, setHost: false },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders)
        outgoing.flushHeaders()
        answer.pipe(outgoing)
        answer.on('error', () => outgoing.destroy())
      },
    )
    upstream.on('error', () => outgoing.destroy())
    outgoing.on('close', () => upstream.destroy())
    incoming.pipe(upstream)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the proxy has no address')
  return {
    url: `http://127.0.0.1:${address.port}/mcp`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
