import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { TlsConfig } from './tls-config.ts'
import { readTlsFiles } from './tls-files.ts'

/** A server that speaks HTTP, over TLS or not. */
export interface WebServer {
  readonly server: Server
  readonly scheme: 'http' | 'https'
  /** Looks at the files of TLS now rather than at the next time. Does nothing without TLS. */
  reload(): void
  /** Stops looking at them. */
  stop(): void
}

/**
 * Makes the server, with TLS 1.2 or better where a certificate is configured. Changed files are used for new connections
 * without a restart; where they cannot be used the former ones stay, and `onReloadFailure` is told.
 * @throws McpworksError `config_invalid` where the files cannot be used at the start
 */
export function createWebServer(
  config: TlsConfig,
  options: ServerOptions,
  listener: RequestListener,
  onReloadFailure: (error: unknown) => void,
): WebServer {
  if (config.certificateFile === null) {
    return { server: createServer(options, listener), scheme: 'http', reload() {}, stop() {} }
  }
  let files = readTlsFiles(config)
  const server = createTlsServer(
    {
      ...options,
      ...files.options,
      ALPNProtocols: ['http/1.1'],
      handshakeTimeout: options.headersTimeout ?? 10_000,
      requestCert: config.clientCertificates !== 'off',
      // Whoever has no good certificate may come with another credential: what it is worth is said where it is read.
      rejectUnauthorized: false,
    },
    listener,
  )

  function reload(): void {
    try {
      const read = readTlsFiles(config)
      if (read.content === files.content) return
      server.setSecureContext(read.options)
      files = read
    } catch (error) {
      onReloadFailure(error)
    }
  }

  const timer = setInterval(reload, config.reloadSeconds * 1000)
  timer.unref()
  return { server, scheme: 'https', reload, stop: () => clearInterval(timer) }
}
