import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { TLSSocket } from 'node:tls'
import type { TlsConfig } from './tls-config.ts'

/** SHA-256 of a client's certificate in base64url (RFC 8705 section 3.1), or `null` where there is none to rely on. */
export type ReadClientCertificate = (request: IncomingMessage) => string | null

/**
 * Makes the reading of client certificates. That the client holds the key was proved in the handshake; its names and
 * dates mean nothing here, and with `authority` one that does not chain to it is as none.
 */
export function createReadClientCertificate(config: TlsConfig): ReadClientCertificate {
  if (config.clientCertificates === 'off') return () => null
  const known = new WeakMap<TLSSocket, string | null>()
  return ({ socket }) => {
    if (!(socket instanceof TLSSocket)) return null
    const before = known.get(socket)
    if (before !== undefined) return before
    const certificate = socket.getPeerX509Certificate()
    const isTrusted = config.clientCertificates === 'any' || socket.authorized
    const sha256 =
      certificate === undefined || !isTrusted ? null : createHash('sha256').update(certificate.raw).digest('base64url')
    known.set(socket, sha256)
    return sha256
  }
}
