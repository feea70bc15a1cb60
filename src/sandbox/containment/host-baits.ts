import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { networkInterfaces, release, tmpdir, version } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Things of the host that hosted code must not reach, each open to any user of the host, so that only the jail protects them. */
export interface HostBaits {
  /** What `$name` stands for in probes and expected answers. */
  readonly facts: ReadonlyMap<string, string | number>
  /** The text that holders leave wherever they can. */
  readonly mark: string
  /** Whether the file and its directory are as they were. */
  look(): { readonly file: 'unchanged' | 'changed'; readonly directory: 'unchanged' | 'changed' }
  remove(): void
}

const canaryText = 'a file of the host'
const markBytes = 6

/** Lays out the baits: a file, a directory, servers on loopback, an abstract socket and a socket file. */
export async function layBaits(): Promise<HostBaits> {
  const mark = `mark-${randomBytes(markBytes).toString('hex')}`
  const directory = mkdtempSync(join(tmpdir(), 'containment-'))
  chmodSync(directory, 0o777)
  const file = join(directory, 'canary')
  const socketFile = join(directory, 'socket')
  writeFileSync(file, canaryText)
  chmodSync(file, 0o666)
  const abstractName = `containment-${mark}`
  const [four, six, abstract, path] = await Promise.all([
    serve({ host: '127.0.0.1', port: 0 }),
    serve({
      host: Object.values(networkInterfaces())
        .flat()
        .some((each) => each?.address === '::1')
        ? '::1'
        : '127.0.0.1',
      port: 0,
    }),
    serve({ path: `\0${abstractName}` }),
    serve({ path: socketFile }),
  ])
  chmodSync(socketFile, 0o777)
  const port = (server: Server): number => (server.address() as AddressInfo).port
  const facts = new Map<string, string | number>([
    ['canaryFile', file],
    ['canaryDirectory', directory],
    ['canaryNeighbour', join(directory, 'new')],
    ['socketFile', socketFile],
    ['abstractName', abstractName],
    ['port', port(four)],
    ['port6', port(six)],
    ['productDirectory', dirname(dirname(fileURLToPath(import.meta.url)))],
    ['serverPid', process.pid],
    ['minusServerGroup', -groupOfServer()],
    ['parentPid', process.ppid],
    ['kernelRelease', release()],
    ['kernelBuild', version()],
    ['mark', mark],
  ])
  const names = readdirSync(directory).join()
  return {
    facts,
    mark,
    look: () => ({
      file: readFileSync(file, 'utf8') === canaryText && lstatSync(file).isFile() ? 'unchanged' : 'changed',
      directory: readdirSync(directory).join() === names ? 'unchanged' : 'changed',
    }),
    remove() {
      for (const server of [four, six, abstract, path]) server.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/**
 * The process group of this process: the third field after its name, which may hold anything. A group that was begun
 * outside of the PID namespace has the number 0 in it, by which `kill` means the group of whoever asks: then this
 * process alone stands for it.
 */
function groupOfServer(): number {
  const line = readFileSync('/proc/self/stat', 'latin1')
  const group = Number(line.slice(line.lastIndexOf(')') + 2).split(' ')[2])
  return group === 0 ? process.pid : group
}

async function serve(where: { host: string; port: number } | { path: string }): Promise<Server> {
  const server = createServer((socket) => {
    // A jail that is killed resets its connections.
    socket.on('error', () => socket.destroy())
    socket.end('reached')
  }).listen(where)
  await once(server, 'listening')
  // A check that fails half way must not keep the command from ending.
  server.unref()
  return server
}
