import type { HttpConfig } from './config.ts'
import type { HttpServer } from './http-server.ts'
import { listenAt } from './listen-at.ts'
import { abandonBody, sendError, sendJson } from './respond.ts'
import { createWebServer } from './tls/create-web-server.ts'

/**
 * What answers while another server is active: `/healthz` with 503 and `standby`, so that nobody is sent here, and the
 * same to everything else. Looks at no credential and reads no body.
 */
export function createStandbyServer(config: HttpConfig): Pick<HttpServer, 'listen' | 'close'> {
  const web = createWebServer(
    config.tls,
    {
      headersTimeout: config.headersTimeoutMs,
      requestTimeout: config.requestTimeoutMs,
      keepAliveTimeout: 1,
      maxHeaderSize: 16 * 1024,
    },
    (request, response) => {
      response.on('error', () => {})
      response.setHeader('Connection', 'close')
      abandonBody(request, response)
      if (request.url === '/healthz') sendJson(response, 503, { ok: false, refusing: ['standby'] })
      else sendError(response, 'storage_unavailable', { message: 'This server stands by. Ask the active one.' })
    },
    () => {},
  )
  const { server } = web
  server.maxConnections = config.maxConnections
  return {
    listen: () => listenAt(web, config),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        web.stop()
        server.closeAllConnections()
      }),
  }
}
