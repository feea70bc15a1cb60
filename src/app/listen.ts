import type { Config } from '../config/index.ts'
import type { HttpServer } from '../http/index.ts'
import { McpworksError } from '../kernel/index.ts'

/** Takes the port and begins to answer there. @throws McpworksError `address_unavailable` where the port is taken or may not be used. */
export async function listen(
  server: Pick<HttpServer, 'listen'>,
  { host, port }: Config['http'],
): Promise<{ url: string }> {
  try {
    return await server.listen()
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : null
    const why =
      code === 'EADDRINUSE' ? 'is in use already' : code === 'EACCES' ? 'may not be used by this user' : 'cannot be had'
    throw new McpworksError('address_unavailable', {
      message: `${host}:${port} ${why}. Choose another port: npm start -- --port 7434, or set http.port.`,
      cause,
    })
  }
}
