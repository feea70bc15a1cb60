/** Where a PostgreSQL database is, and who goes there. */
export interface DatabaseAddress {
  /** Host name or address, or the directory of a unix socket, which begins with `/`. */
  readonly host: string
  readonly port: number
  readonly user: string
  /** `null` where the URL has none: for a server that knows its peers by other means. */
  readonly password: string | null
  readonly database: string
}

/** The address, or what is wrong with the URL. The sentence never repeats a part of the URL: it holds a password. */
export type DatabaseUrl =
  | { readonly ok: true; readonly address: DatabaseAddress }
  | { readonly ok: false; readonly problem: string }

const known: ReadonlySet<string> = new Set(['host', 'port', 'user'])

/**
 * Reads `postgres://user:password@host:port/database`. A unix socket is `postgres:///database?host=/directory&user=name`.
 * Options of drivers such as `sslmode` are refused rather than ignored: what they would weaken is not for a URL to say.
 */
export function parseDatabaseUrl(text: string): DatabaseUrl {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || (url.protocol !== 'postgres:' && url.protocol !== 'postgresql:')) {
    return { ok: false, problem: 'a URL such as postgres://user:password@host:5432/database' }
  }
  const { searchParams: options } = url
  if ([...options.keys()].some((name) => !known.has(name)) || url.hash !== '') {
    return { ok: false, problem: 'only host, port and user may come after the question mark of a database URL' }
  }
  try {
    const host = options.get('host') ?? decodeURIComponent(url.hostname).replace(/^\[(.*)\]$/, '$1')
    const port = Number((options.get('port') ?? url.port) || '5432')
    const user = decodeURIComponent(url.username) || (options.get('user') ?? '')
    const database = decodeURIComponent(url.pathname.slice(1))
    const password = url.password === '' ? null : decodeURIComponent(url.password)
    if (host === '' || user === '' || database === '' || database.includes('/')) {
      return { ok: false, problem: 'a database URL that names a host, a user and a database' }
    }
    if (!Number.isInteger(port) || port < 1 || port > 65_535) {
      return { ok: false, problem: 'a database URL whose port is between 1 and 65535' }
    }
    return { ok: true, address: { host, port, user, password, database } }
  } catch {
    return { ok: false, problem: 'a database URL whose percent signs are followed by two hexadecimal digits' }
  }
}
