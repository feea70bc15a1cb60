import type { JailOrder } from '../sandbox-engine.ts'
import type { RuntimeLayout } from './runtime-layout.ts'

/** Descriptors of the process that is started. The channel alone reaches the runtime. */
export const jailDescriptors = { channel: 3, filter: 4, status: 5 } as const

/** The id that hosted code sees itself as. It says nothing of the id outside. */
const innerId = '65534'
/** tmpfs takes size 0 as "no bound", so none is ever asked for below this. */
const leastTmpfsBytes = 4096
const devices = ['/dev/null', '/dev/zero', '/dev/full', '/dev/random', '/dev/urandom'] as const

/** What hosted code finds in its environment; nothing is inherited. */
const environment: Readonly<Record<string, string>> = {
  PATH: '/usr/bin',
  HOME: '/tmp',
  TMPDIR: '/tmp',
  LANG: 'C.UTF-8',
  TZ: 'UTC',
  // Thread pools of numeric libraries would start a thread for each processor of the host.
  OMP_NUM_THREADS: '1',
  BUN_RUNTIME_TRANSPILER_CACHE_PATH: '0',
  DO_NOT_TRACK: '1',
}

/** An empty thing in the place of a file, or of a directory (those end in a slash). */
function cover(path: string): string[] {
  if (!path.endsWith('/')) return ['--ro-bind', '/dev/null', path]
  return ['--perms', '0555', '--size', String(leastTmpfsBytes), '--tmpfs', path, '--remount-ro', path]
}

/**
 * The arguments for bubblewrap 0.8: every namespace new, no capability, a root that holds only what the layout lists,
 * two bounded tmpfs. Pure, so that the profile's hash is the hash of this.
 * bubblewrap mounts tmpfs without noexec and without a bound on inodes; both are left to the filter and to the watch.
 */
export function jailArguments(layout: RuntimeLayout, order: Pick<JailOrder, 'codeBytes' | 'scratchBytes'>): string[] {
  const tmpfs = (path: string, bytes: number, mode: string): string[] => [
    '--perms',
    mode,
    '--size',
    String(Math.max(bytes, leastTmpfsBytes)),
    '--tmpfs',
    path,
  ]
  return [
    '--unshare-all',
    '--unshare-user',
    '--disable-userns',
    '--die-with-parent',
    '--new-session',
    '--as-pid-1',
    '--cap-drop',
    'ALL',
    '--uid',
    innerId,
    '--gid',
    innerId,
    '--hostname',
    'sandbox',
    '--clearenv',
    ...Object.entries(environment).flatMap(([name, value]) => ['--setenv', name, value]),
    ...layout.binds.flatMap(([host, inside]) => ['--ro-bind', host, inside]),
    ...layout.links.flatMap(([target, path]) => ['--symlink', target, path]),
    ...devices.flatMap((device) => ['--dev-bind', device, device]),
    ...(layout.procfs === null ? [] : ['--proc', '/proc', ...layout.procfs.covered.flatMap(cover)]),
    ...tmpfs('/fn', order.codeBytes, '0755'),
    ...tmpfs('/tmp', order.scratchBytes, '1777'),
    '--remount-ro',
    '/',
    '--chdir',
    '/tmp',
    '--seccomp',
    String(jailDescriptors.filter),
    '--json-status-fd',
    String(jailDescriptors.status),
    '--',
    ...layout.command,
  ]
}
