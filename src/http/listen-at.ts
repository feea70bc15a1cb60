import { isWildcardHost, type HttpConfig } from './config.ts'
import type { WebServer } from './tls/create-web-server.ts'

/** Where a server can be reached: `url` from this machine. */
export interface ListeningAt {
  readonly host: string
  readonly port: number
  readonly url: string
}

/** Listens where the configuration says. Port 0 becomes one that is free. Rejects with the system's error. */
export function listenAt(
  { server, scheme }: Pick<WebServer, 'server' | 'scheme'>,
  { host, port: wanted }: Pick<HttpConfig, 'host' | 'port'>,
): Promise<ListeningAt> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port: wanted }, () => {
      server.off('error', reject)
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : wanted
      const reachable = isWildcardHost(host) ? '127.0.0.1' : host
      resolve({ host, port, url: `${scheme}://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}` })
    })
  })
}
