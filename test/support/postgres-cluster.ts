import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { appendFileSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { findPostgres } from '../../scripts/bootstrap/system-packages.mjs'

/** A PostgreSQL server of the tests' own, with everything that it writes in one temporary directory. */
export interface PostgresCluster {
  /** Belongs to the user that the server runs as. */
  readonly directory: string
  /** Process id of the server's first process, `null` while it is stopped. */
  readonly pid: number | null
  /** URL of a database, for the superuser; with its password. */
  url(database?: string): string
  /** Starts it, with other settings than before where some are given. Resolves when it takes connections. */
  start(settings?: PostgresSettings): Promise<void>
  /** `fast` ends every connection and writes a checkpoint; `crash` ends at once, so that the next start recovers. */
  stop(how: 'fast' | 'crash'): Promise<void>
  /** Stops every process of it where it is: connections stay and nobody answers. */
  freeze(): void
  thaw(): void
  /** Ends it and removes the directory. */
  close(): Promise<void>
}

/** Settings of `postgresql.conf`, by name. */
export type PostgresSettings = Readonly<Record<string, string>>

/** How a cluster is made. */
export interface PostgresClusterOptions {
  readonly settings?: PostgresSettings
  /** `tcp` listens on a port of 127.0.0.1 as well as on its socket, and the URL names the port. */
  readonly listen?: 'socket' | 'tcp'
}

/** Every commit is synced, as an operator's server does by default; but memory for a machine that does other things too. */
const defaults: PostgresSettings = {
  fsync: 'on',
  full_page_writes: 'on',
  synchronous_commit: 'on',
  shared_buffers: '64MB',
  max_connections: '200',
  max_wal_senders: '0',
  wal_level: 'minimal',
}

const user = 'superuser'

/**
 * Makes a PostgreSQL server of its own and starts it; the distribution's programs, run as an unprivileged user.
 * It ends with this process, however that ends.
 * @throws Error where PostgreSQL is not installed (`npm test` installs it) or does not start; with what it said
 */
export async function startPostgresCluster(options: PostgresClusterOptions = {}): Promise<PostgresCluster> {
  const programs = findPostgres()
  if (programs === null) throw new Error('PostgreSQL is not installed. "npm test" installs it.')
  const owner = unprivilegedUser()
  const directory = mkdtempSync(join(tmpdir(), 'mcpworks-postgres-'))
  const [data, sockets, passwordFile] = ['data', 'sockets', 'password'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ]
  const password = randomBytes(16).toString('hex')
  mkdirSync(sockets, { mode: 0o700 })
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 })
  for (const path of [directory, sockets, passwordFile]) chownSync(path, owner.uid, owner.gid)
  const initialise = ['--username', user, '--pwfile', passwordFile, '--auth', 'scram-sha-256', '--encoding', 'UTF8']
  // What a crash of the machine leaves of a test is of no use to anybody.
  await promisify(execFile)(join(programs, 'initdb'), ['-D', data, '--no-sync', '--locale', 'C', ...initialise], {
    uid: owner.uid,
    gid: owner.gid,
    env: {},
  })
  rmSync(passwordFile)
  const port = options.listen === 'tcp' ? await freePort() : 5432
  let settings: PostgresSettings = {
    ...defaults,
    listen_addresses: options.listen === 'tcp' ? '127.0.0.1' : '',
    port: String(port),
    unix_socket_directories: sockets,
    ...options.settings,
  }
  let server: ChildProcess | null = null

  const cluster: PostgresCluster = {
    directory,
    get pid() {
      return server?.pid ?? null
    },
    url(database = 'postgres') {
      const place = options.listen === 'tcp' ? `127.0.0.1:${port}/${database}` : `localhost/${database}?host=${sockets}`
      return `postgres://${user}:${password}@${place}`
    },
    async start(changed = {}) {
      settings = { ...settings, ...changed }
      const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'\n`)
      appendFileSync(join(data, 'postgresql.conf'), lines.join(''))
      server = await startServer([join(programs, 'postgres'), '-D', data], owner)
    },
    async stop(how) {
      const stopping = server
      server = null
      if (stopping === null || stopping.exitCode !== null) return
      const ended = once(stopping, 'close')
      stopping.kill(how === 'fast' ? 'SIGINT' : 'SIGQUIT')
      await ended
    },
    freeze() {
      for (const pid of processes(server)) signalIfThere(pid, 'SIGSTOP')
    },
    thaw() {
      for (const pid of processes(server)) signalIfThere(pid, 'SIGCONT')
    },
    async close() {
      await cluster.stop('crash')
      rmSync(directory, { recursive: true, force: true })
    },
  }
  try {
    await cluster.start()
  } catch (error) {
    rmSync(directory, { recursive: true, force: true })
    throw error
  }
  return cluster
}

/** One that serves a client may end while the others are being told. */
function signalIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** PostgreSQL refuses to run as root: root lends it the user that its package made. */
function unprivilegedUser(): { readonly uid: number; readonly gid: number } {
  const [uid, gid] = [process.getuid?.(), process.getgid?.()]
  if (uid === undefined || gid === undefined) throw new Error('these tests need a system with users')
  if (uid !== 0) return { uid, gid }
  const entry = /^postgres:[^:]*:(\d+):(\d+):/m.exec(readFileSync('/etc/passwd', 'utf8'))
  if (entry === null) throw new Error('the user postgres is missing, which the package postgresql makes')
  return { uid: Number(entry[1]), gid: Number(entry[2]) }
}

/** Resolves when it takes connections. It is told to end when this process does. */
async function startServer(
  command: readonly string[],
  owner: { readonly uid: number; readonly gid: number },
): Promise<ChildProcess> {
  const asOwner = process.getuid?.() === 0 ? [`--reuid=${owner.uid}`, `--regid=${owner.gid}`, '--clear-groups'] : []
  const child = spawn('setpriv', ['--pdeathsig', 'QUIT', ...asOwner, ...command], {
    env: {},
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const said: string[] = []
  const ready = new Promise<boolean>((resolve) => {
    createInterface({ input: child.stderr }).on('line', (line) => {
      if (line.includes('ready to accept connections')) resolve(true)
      // What it says later is of tests that break connections on purpose, and would only fill memory.
      if (said.length < 100) said.push(line)
    })
    child.once('close', () => resolve(false))
    child.once('error', (error) => {
      said.push(error.message)
      resolve(false)
    })
  })
  if (!(await ready)) throw new Error(`PostgreSQL does not start:\n${said.join('\n')}`)
  return child
}

function processes(server: ChildProcess | null): number[] {
  if (server?.pid === undefined) return []
  const children = readFileSync(`/proc/${server.pid}/task/${server.pid}/children`, 'utf8').split(' ')
  return [server.pid, ...children.filter((pid) => pid !== '').map(Number)]
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}
