import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What a do-nothing program prints, in every runtime. */
export const helloJson = '{"n":1}'

/** Where Debian puts the packages of its own Python. */
export const distributionPackages = '/usr/lib/python3/dist-packages'

/** Debian's numeric libraries are links through it. */
const alternatives = ['--ro-bind', '/etc/alternatives', '/etc/alternatives']
const python = '/usr/bin/python3'
const hello = `print('${helloJson}')`
const helloPandas = `import sys;sys.path.append('${distributionPackages}');import pandas;${hello}`

/** Commands of the machine without any sandbox of ours, and the files that they need. */
export interface RawCommands {
  /** `null` for one that is not on this machine. */
  readonly commands: ReadonlyMap<string, readonly string[] | null>
  close(): void
}

/**
 * The baselines at their best: the fewest mounts that the runtime can start with, no filter, no limits, the interpreter's
 * fastest flags. bubblewrap with `--as-pid-1`, which saves a process; without it the kernel charges the runtime's processor
 * time to nobody.
 */
export function rawCommands(nsjailPath: string | null): RawCommands {
  const directory = mkdtempSync(join(tmpdir(), 'mcpworks-bench-sandbox-'))
  writeFileSync(join(directory, 'hello.js'), `console.log('${helloJson}')\n`)
  const pythonCommand = [python, '-I', '-S', '-E', '-B', '-c', hello]
  const bubblewrap = (binds: readonly string[], command: readonly string[]): string[] => [
    '/usr/bin/bwrap',
    '--unshare-all',
    '--as-pid-1',
    '--die-with-parent',
    '--ro-bind',
    '/usr',
    '/usr',
    '--symlink',
    'usr/lib',
    '/lib',
    '--symlink',
    'usr/lib64',
    '/lib64',
    ...binds,
    '--',
    ...command,
  ]
  const script = (program: string, words: readonly string[]): string[] =>
    bubblewrap(
      ['--proc', '/proc', '--dev', '/dev', '--ro-bind', program, '/runtime', '--ro-bind', directory, '/hello'],
      ['/runtime', ...words, '/hello/hello.js'],
    )
  const nsjail = [
    '--mode',
    'o',
    '--really_quiet',
    '--bindmount_ro',
    '/usr',
    '--symlink',
    'usr/lib:/lib',
    '--symlink',
    'usr/lib64:/lib64',
    '--disable_proc',
    '--',
    ...pythonCommand,
  ]
  return {
    commands: new Map([
      ['raw python, no jail', pythonCommand],
      ['raw bwrap python', bubblewrap([], pythonCommand)],
      ['raw bwrap python with pandas', bubblewrap(alternatives, [...pythonCommand.slice(0, -1), helloPandas])],
      ['raw bwrap bun', script(installedBun(), ['run', '--no-install'])],
      ['raw bwrap node', script(realpathSync(process.execPath), [])],
      ['raw crun python', ociCommand('/usr/bin/crun', directory, pythonCommand)],
      ['raw nsjail python', nsjailPath === null ? null : [nsjailPath, ...nsjail]],
    ]),
    close: () => rmSync(directory, { recursive: true, force: true }),
  }
}

/** The nsjail that was named, or the one of the machine, or `null`. */
export function findNsjail(named: string | undefined): string | null {
  const places = named === undefined ? ['/usr/local/bin/nsjail', '/usr/bin/nsjail', '/opt/nsjail/nsjail'] : [named]
  return places.find((path) => existsSync(path)) ?? null
}

function installedBun(): string {
  const name = `@oven/bun-linux-${process.arch === 'arm64' ? 'aarch64' : process.arch}`
  return realpathSync(join(dirname(fileURLToPath(import.meta.resolve(`${name}/package.json`))), 'bin', 'bun'))
}

/** A bundle with the same mounts; each run needs a name of its own. */
function ociCommand(runtime: string, directory: string, command: readonly string[]): string[] | null {
  if (!existsSync(runtime)) return null
  const bundle = join(directory, 'bundle')
  mkdirSync(join(bundle, 'rootfs'), { recursive: true })
  const options = ['bind', 'ro', 'nosuid', 'nodev']
  const bind = (source: string, destination: string): object => ({ source, destination, type: 'bind', options })
  const spec = {
    ociVersion: '1.0.2',
    process: {
      user: { uid: 65_534, gid: 65_534 },
      args: command,
      env: ['PATH=/usr/bin'],
      cwd: '/',
      noNewPrivileges: true,
      capabilities: {},
    },
    root: { path: 'rootfs', readonly: true },
    mounts: [
      bind('/usr', '/usr'),
      bind('/usr/lib', '/lib'),
      bind('/usr/lib64', '/lib64'),
      { source: 'tmpfs', destination: '/dev', type: 'tmpfs', options: ['nosuid', 'noexec', 'mode=755', 'size=65536'] },
      { source: 'proc', destination: '/proc', type: 'proc', options: ['nosuid', 'nodev', 'noexec'] },
    ],
    linux: { namespaces: ['mount', 'pid', 'network', 'ipc', 'uts'].map((type) => ({ type })) },
  }
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(spec))
  return [runtime, '--cgroup-manager=disabled', 'run', '--bundle', bundle, '{unique}']
}
