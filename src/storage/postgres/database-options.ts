import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import type { ClientConfig } from 'pg'
import { McpworksError } from '../../kernel/index.ts'
import { parseDatabaseUrl } from './database-url.ts'

/** Which database, and how it is known to be the right one. */
export interface DatabaseOptions {
  /** Holds a password: never for a message or a log. */
  readonly url: string
  /** File with the authorities of the database's certificate (PEM); `null` for those that Node trusts. */
  readonly caFile: string | null
}

const connectTimeoutMs = 10_000

/**
 * What the driver is given. Everything is said explicitly, so that no `PG*` variable of the environment has a word in it.
 * Over TCP there is TLS with a certificate that is verified, name and all; without it only to a unix socket and to
 * loopback addresses, and there too where an authority is given.
 * `settings` are parameters of the session (`search_path`), set by the server before the first statement.
 * @throws McpworksError `config_invalid`
 */
export function clientConfig(
  { url, caFile }: DatabaseOptions,
  applicationName: string,
  settings: Readonly<Record<string, string>> = {},
): ClientConfig {
  const parsed = parseDatabaseUrl(url)
  if (!parsed.ok)
    throw new McpworksError('config_invalid', { message: `storage.database.url must be ${parsed.problem}.` })
  const { host, port, user, password, database } = parsed.address
  return {
    host,
    port,
    user,
    database,
    // A function, because the driver looks for a password file in the home directory where there is no password.
    password: () => password ?? '',
    ssl: isPlain(host, caFile) ? false : { rejectUnauthorized: true, ...authority(caFile), ...serverName(host) },
    sslnegotiation: 'postgres',
    enableChannelBinding: true,
    application_name: applicationName,
    client_encoding: 'UTF8',
    options: optionsOf(settings),
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 5000,
  }
}

/** Whether the way there leaves this machine's memory. */
function isPlain(host: string, caFile: string | null): boolean {
  if (host.startsWith('/')) return true
  const isLoopback = host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
  return isLoopback && caFile === null
}

function authority(caFile: string | null): { ca?: string } {
  if (caFile === null) return {}
  try {
    return { ca: readFileSync(caFile, 'utf8') }
  } catch (cause) {
    throw new McpworksError('config_invalid', { message: 'storage.database.caFile cannot be read.', cause })
  }
}

/** An address is no name to send (RFC 6066 section 3); the certificate is checked against it all the same. */
function serverName(host: string): { servername?: string } {
  return isIP(host) === 0 ? { servername: host } : {}
}

/** `-c name=value` for each, in the form that the server splits again. */
function optionsOf(settings: Readonly<Record<string, string>>): string {
  const all = { client_min_messages: 'warning', ...settings }
  return Object.entries(all)
    .map(([name, value]) => `-c ${name}=${value.replaceAll(/[\\\s]/g, (character) => `\\${character}`)}`)
    .join(' ')
}
