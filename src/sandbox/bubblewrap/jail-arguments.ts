import type { JailOrder } from '../sandbox-engine.ts'
import type { RuntimeLayout } from '../layout/runtime-layout.ts'
import { jailProfile } from '../profile/jail-profile.ts'

/** Descriptors of the process that is started. The channel alone reaches the runtime. */
export const jailDescriptors = { channel: 3, filter: 4, status: 5 } as const

/** Where an outer jail has its procfs: its jails have another, or none, at /proc. */
const outerProcfs = `${jailProfile.runner}/proc`

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
    ...commonArguments(layout),
    '--disable-userns',
    ...(layout.procfs === null ? [] : ['--proc', '/proc', ...layout.procfs.covered.flatMap(cover)]),
    ...tmpfs,
    ...lastArguments(),
    '--json-status-fd',
    String(jailDescriptors.status),
    '--',
    ...layout.command,
  ]
}

/**
 * The arguments for an outer jail: as for a jail, but namespaces can be made in it, its procfs is uncovered, as the kernel
 * demands where another is to be mounted inside, and the places of the two tmpfs are empty directories.
 */
export function outerJailArguments(layout: RuntimeLayout): string[] {
  return [
    ...commonArguments(layout),
    '--proc',
    outerProcfs,
    // Where a jail may need one of its own.
    ...(layout.procfs === null ? [] : ['--dir', '/proc']),
    ...Object.keys(jailProfile.tmpfs).flatMap((path) => ['--dir', path]),
    ...lastArguments(),
    '--',
    ...layout.command,
  ]
}

function commonArguments(layout: RuntimeLayout): string[] {
  const { uid, gid, hostname, environment, devices } = jailProfile
  return [
    '--unshare-all',
    '--unshare-user',
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
  ]
}

function lastArguments(): string[] {
  return ['--remount-ro', '/', '--chdir', jailProfile.workingDirectory, '--seccomp', String(jailDescriptors.filter)]
}
