import { jailProfile } from '../../profile/jail-profile.ts'
import type { ContainmentCheck } from '../containment-check.ts'
import { absent, held, inside, like, onBun, onlyOf } from './make-check.ts'

const [realtime, monotonic, boottime] = [0, 1, 7]
const notOfHost = { not: '$kernelRelease', text: 'another than that of the host' }
const away = [absent, 'empty', 'EACCES', 'EPERM'] as const
const commandLine = like(
  /^\/\S*\/(?:python3[.\d]*|bun|node)(?: -[A-Za-z-]+| run)* \/runner\/[\w.-]+(?: --sealed [\w-]+)?$/,
  'a runtime, its flags, the runner and a nonce that has been used',
)
const variables = [...Object.keys(jailProfile.environment), 'PWD'].toSorted()

/** What a jail can know of the machine, its users and the platform. */
export function viewChecks(): ContainmentCheck[] {
  return [
    inside('views.hostname', 'read the name of the host', ['hostname'], jailProfile.hostname),
    inside('views.node-name', 'read it by uname', ['node-name'], jailProfile.hostname),
    inside('views.domain', 'read the domain of the host', ['domain'], '(none)', ''),
    inside(
      'views.user-name',
      'learn the name of its user',
      ['user-name'],
      'unknown',
      'ModuleNotFoundError: pwd',
      'nobody',
    ),
    inside('views.users', 'list the users of the host', ['users'], 'none', 'nobody'),
    inside('views.login', 'learn who is logged in', ['login'], like(/^E[A-Z]+$/, 'an error')),
    inside(
      'views.environment',
      'see a variable that is not in the profile',
      ['environment'],
      onlyOf(...variables, 'LC_CTYPE'),
    ),
    inside(
      'views.path-variable',
      'learn the search path of the host',
      ['variable', 'PATH'],
      jailProfile.environment['PATH'] ?? '',
    ),
    inside(
      'views.home-variable',
      'learn a home directory',
      ['variable', 'HOME'],
      jailProfile.environment['HOME'] ?? '',
    ),
    inside('views.kernel-release', 'learn the release of the kernel', ['release'], notOfHost),
    inside('views.kernel-build', 'learn the build of the kernel', ['kernel-build'], {
      not: '$kernelBuild',
      text: 'another than that of the host',
    }),
    inside('views.load', 'learn the load of the machine', ['load'], like(/Error|^E[A-Z]+$/, 'an error')),
    inside('views.memory', 'learn the memory of the machine', ['memory'], 'unknown', like(/^E[A-Z]+$/, 'an error')),
    inside(
      'views.uptime-by-boot-clock',
      'learn the uptime of the machine by CLOCK_BOOTTIME',
      ['clock', boottime],
      'of the jail',
    ),
    inside(
      'views.uptime-by-monotonic-clock',
      'learn the uptime of the machine by CLOCK_MONOTONIC',
      ['clock', monotonic],
      'of the jail',
    ),
    inside('views.wall-clock', 'read the time of day (allowed)', ['clock', realtime], 'of the machine'),
    inside('views.timezone', 'learn the time zone of the host', ['timezone'], 'UTC UTC'),
    inside('views.processor', 'learn the model of the processor from a file', ['read', '/proc/cpuinfo'], ...away),
    onBun('views.hostname', 'read the name of the host', ['hostname'], jailProfile.hostname),
    onBun('views.environment', 'see a variable that is not in the profile', ['environment'], onlyOf(...variables)),
    onBun(
      'views.uptime',
      'learn the uptime of the machine from /proc/uptime',
      ['uptime', '/proc/uptime'],
      'of the jail',
      ...away,
    ),
    onBun(
      'views.load',
      'learn the load of the machine from /proc/loadavg',
      ['figures', '/proc/loadavg'],
      'none',
      ...away,
    ),
    onBun(
      'views.memory',
      'learn the memory of the machine from /proc/meminfo',
      ['figures', '/proc/meminfo'],
      'none',
      ...away,
    ),
    onBun('views.processor', 'learn the model of the processor from /proc/cpuinfo', ['read', '/proc/cpuinfo'], ...away),
    onBun(
      'views.processor-statistics',
      'watch the processors in /proc/stat',
      ['figures', '/proc/stat'],
      'none',
      ...away,
    ),
    onBun('views.memory-statistics', 'watch the memory in /proc/vmstat', ['figures', '/proc/vmstat'], 'none', ...away),
    onBun(
      'views.pressure',
      'watch the pressure in /proc/pressure/cpu',
      ['figures', '/proc/pressure/cpu'],
      'none',
      ...away,
    ),
    onBun('views.kernel-release', 'learn the release of the kernel', ['release'], notOfHost),
    onBun(
      'views.cgroup-path',
      'learn the cgroup of the jail on the host',
      ['read', '/proc/self/cgroup'],
      ...away,
      like(/^read: (?:\d+:[^:]*:\/(?:\.\.\/jail-\d+)?\n)+$/, 'its own number and nothing above'),
    ),
    held('views.server-environment', 'have a variable of the environment of the server', 'python', 'none'),
    held('views.server-environment', 'have a variable of the environment of the server', 'typescript', 'none'),
    held(
      'views.command-line',
      'be told more by its command line than its program and its runner',
      'python',
      commandLine,
    ),
    held(
      'views.command-line',
      'be told more by its command line than its program and its runner',
      'typescript',
      commandLine,
    ),
    held('views.open-files', 'hold a descriptor of a file of the host', 'python', 'none'),
    held('views.open-files', 'hold a descriptor of a file of the host', 'typescript', 'none'),
  ]
}
