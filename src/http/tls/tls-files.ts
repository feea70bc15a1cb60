import { readFileSync } from 'node:fs'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import { McpworksError } from '../../kernel/index.ts'
import type { TlsConfig } from './tls-config.ts'

/** Certificate and key as read at one moment, found to fit together. */
export interface TlsFiles {
  readonly options: SecureContextOptions
  /** Equal for equal content. */
  readonly content: string
}

/**
 * Reads the files and checks that key and certificate fit. Does not check names, dates or authority of the certificate.
 * @throws McpworksError `config_invalid` where they cannot be read or do not fit; nothing of the key is in it
 */
export function readTlsFiles({ certificateFile, keyFile, clientAuthorityFile }: TlsConfig): TlsFiles {
  const options: SecureContextOptions = {
    cert: readPem(certificateFile ?? '', 'http.tls.certificateFile'),
    key: readPem(keyFile ?? '', 'http.tls.keyFile'),
    ...(clientAuthorityFile === null ? {} : { ca: readPem(clientAuthorityFile, 'http.tls.clientAuthorityFile') }),
    minVersion: 'TLSv1.2',
  }
  try {
    createSecureContext(options)
  } catch {
    // The cause could quote the key.
    throw new McpworksError('config_invalid', {
      message: 'http.tls: certificate and key cannot be used, or do not belong together.',
    })
  }
  return { options, content: JSON.stringify([options.cert, options.key, options.ca ?? null]) }
}

function readPem(path: string, setting: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown'
    throw new McpworksError('config_invalid', { message: `${setting} cannot be read (${code}).` })
  }
}
