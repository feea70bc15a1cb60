import { readFileSync } from 'node:fs'
import { run, Stop } from './progress.mjs'
import { findProgram } from './system-packages.mjs'

/** The id of `nobody`: bubblewrap is never run as host root, not even to try it. */
const nobody = 65_534

/** Settings of the kernel that forbid an unprivileged user to make namespaces: file, forbidding value, what to type. */
const settings = [
  ['/proc/sys/kernel/unprivileged_userns_clone', '0', 'sudo sysctl -w kernel.unprivileged_userns_clone=1'],
  ['/proc/sys/user/max_user_namespaces', '0', 'sudo sysctl -w user.max_user_namespaces=15000'],
  [
    '/proc/sys/kernel/apparmor_restrict_unprivileged_userns',
    '1',
    'sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0',
  ],
]

/**
 * Makes sure that an unprivileged user can start a sandbox here. Not a test of what the sandbox keeps in: the server
 * does that when it starts.
 *
 * @throws {Stop} saying what forbids it and what to type
 */
export async function ensureUserNamespaces() {
  const bwrap = findProgram('bwrap')
  const ids = process.getuid() === 0 ? { uid: nobody, gid: nobody } : {}
  const args = ['--unshare-all', '--die-with-parent', '--ro-bind', '/usr', '/usr', '--ro-bind-try', '/lib', '/lib']
  args.push('--ro-bind-try', '/lib64', '/lib64', '/usr/bin/true')
  const result = await run(bwrap, args, { cwd: '/', ...ids })
  if (result.ok) return
  const forbidding = settings.filter(([file, value]) => readIfThere(file) === value).map(([, , type]) => `  ${type}`)
  const remedy =
    forbidding.length > 0
      ? `The kernel's settings forbid them. Type:\n\n${forbidding.join('\n')}\n\n(put the same into /etc/sysctl.d/ to keep it), then type the same command again.`
      : 'If this is a chroot, it never can. If it is a container, start it so that it may make namespaces (Docker: --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined).'
  throw new Stop(
    `The sandbox cannot start: user namespaces do not work here. ${remedy}\nbwrap said: ${result.output.trim()}`,
  )
}

function readIfThere(file) {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return null
  }
}
