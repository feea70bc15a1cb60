import type { JailOrder } from '../sandbox-engine.ts'
import type { RuntimeLayout } from '../layout/runtime-layout.ts'
import { jailProfile } from '../profile/jail-profile.ts'

/** Descriptors of the process that is started. The channel alone reaches the runtime. */
export const jailDescriptors = { channel: 3, filter: 4, status: 5 } as const

/** tmpfs takes size 0 as "no bound", so none is ever asked for below this. */
const leastTmpfsBytes = 4096

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
  const { uid, gid, hostname, environment, devices, workingDirectory } = jailProfile
  const bytes = { code: order.codeBytes, scratch: order.scratchBytes }
  const tmpfs = Object.entries(jailProfile.tmpfs).flatMap(([path, { mode, size }]) => [
    '--perms',
    mode,
    '--size',
    String(Math.max(bytes[size], leastTmpfsBytes)),
    '--tmpfs',
    path,
  ])
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
    String(uid),
    '--gid',
    String(gid),
    '--hostname',
    hostname,
    '--clearenv',
    ...Object.entries(environment).flatMap(([name, value]) => ['--setenv', name, value]),
    ...layout.binds.flatMap(([host, inside]) => ['--ro-bind', host, inside]),
    ...layout.links.flatMap(([target, path]) => ['--symlink', target, path]),
    ...devices.flatMap((device) => ['--dev-bind', device, device]),
    ...(layout.procfs === null ? [] : ['--proc', '/proc', ...layout.procfs.covered.flatMap(cover)]),
    ...tmpfs,
    '--remount-ro',
    '/',
    '--chdir',
    workingDirectory,
    '--seccomp',
    String(jailDescriptors.filter),
    '--json-status-fd',
    String(jailDescriptors.status),
    '--',
    ...layout.command,
  ]
}
