import type { Architecture } from '../../profile/architecture.ts'
import { seccompProfile } from '../../profile/seccomp-profile.ts'
import type { ContainmentCheck, Probe } from '../containment-check.ts'
import { alone, inside, onBun } from './make-check.ts'

const killed = 'ended: filter'

/** Arguments with which a call does no more than fail where nothing stops it. Zeros for all others. */
const harmless: Readonly<Record<string, readonly number[]>> = {
  ptrace: [16, 0, 0, 0],
  seccomp: [99, 0, 0],
  setns: [-1, 0],
  personality: [0xffffffff],
  fchown: [-1, 0, 0],
  sched_setaffinity: [0, 0, 0],
}
const zeros = [0, 0, 0, 0, 0, 0] as const

/** Calls of the list whose effect cannot be undone by the process that made it; other checks try them in another way. */
const triedElsewhere = new Set(['fork', 'vfork', 'clone3', 'execve', 'execveat', 'memfd_create'])

/** Calls that concern ids and capabilities, which have a group of their own. */
const ofIds = /^(?:set(?:re|res|fs)?[ug]id|setgroups|capset)$/

const sigchld = 17
/** CLONE_NEW* of linux/sched.h. */
const namespaceFlags = {
  mount: 0x20000,
  cgroup: 0x2000000,
  uts: 0x4000000,
  ipc: 0x8000000,
  user: 0x10000000,
  pid: 0x20000000,
  net: 0x40000000,
} as const

/** System calls: those that kill, those that are refused, and what is left of those that are allowed. */
export function systemCallChecks(architecture: Architecture): ContainmentCheck[] {
  const numberOf = (name: string): number => architecture.numbers.get(name) ?? -1
  const here = (names: readonly string[]): string[] => names.filter((name) => architecture.numbers.has(name))
  const call = (name: string): Probe => ['call', numberOf(name), ...(harmless[name] ?? zeros)]
  return [
    ...here(seccompProfile.kill).map((name) =>
      alone(`${ofIds.test(name) ? 'capabilities' : 'system-calls'}.${name}`, `call ${name}`, call(name), [killed]),
    ),
    ...here(Object.keys(seccompProfile.errno))
      .filter((name) => !triedElsewhere.has(name))
      .map((name) => inside(`system-calls.${name}`, `call ${name}`, call(name), seccompProfile.errno[name] ?? '')),
    ...processes(numberOf),
    ...memory(),
    ...arguments_(),
    ...conventions(architecture, numberOf),
  ]
}

function processes(numberOf: (name: string) => number): ContainmentCheck[] {
  const clone = numberOf('clone')
  return [
    inside('system-calls.fork', 'start a process (fork of the C library)', ['fork'], 'EPERM'),
    inside('system-calls.clone', 'start a process (clone)', ['fork-by', clone, sigchld], 'EPERM'),
    inside(
      'system-calls.clone-parent',
      'start a process beside itself (CLONE_PARENT)',
      ['fork-by', clone, 0x8000 | sigchld],
      'EPERM',
    ),
    inside(
      'system-calls.clone-untraced',
      'start a process that cannot be traced (CLONE_UNTRACED)',
      ['fork-by', clone, 0x800000 | sigchld],
      'EPERM',
    ),
    inside('system-calls.clone3', 'start a process (clone3)', ['clone3', numberOf('clone3')], 'ENOSYS'),
    ...Object.entries(namespaceFlags).map(([name, flag]) =>
      inside(
        `namespaces.clone-${name}`,
        `start a process in a new ${name} namespace`,
        ['fork-by', clone, flag | sigchld],
        'EPERM',
      ),
    ),
    inside(
      'namespaces.clone-user-and-all',
      'start a process in a new user namespace and all others',
      ['fork-by', clone, 0x7e020000 | sigchld],
      'EPERM',
    ),
    alone(
      'system-calls.execve',
      'execute a program (execve)',
      ['execute', numberOf('execve'), '$python', 0],
      ['EPERM'],
    ),
    alone(
      'system-calls.execveat',
      'execute a program (execveat)',
      ['execute', numberOf('execveat'), '$python', 1],
      ['EPERM'],
    ),
    inside(
      'system-calls.execve-in-thread',
      'execute a program from a thread',
      ['execute-in-thread', numberOf('execve'), '/nothing'],
      'EPERM',
    ),
    inside(
      'system-calls.memfd_create',
      'make a file without a path',
      ['call', numberOf('memfd_create'), 'x', 0],
      'ENOSYS',
    ),
    onBun('system-calls.clone', 'start a process (clone)', ['fork', clone, numberOf('exit_group')], 'refused'),
    onBun(
      'system-calls.execve',
      'execute a program (execve)',
      ['call', numberOf('execve'), '/nothing', 0, 0],
      'refused',
    ),
    onBun('system-calls.socket', 'make a socket', ['call', numberOf('socket'), 1, 1, 0], 'refused'),
    onBun(
      'system-calls.memfd_create',
      'make a file without a path',
      ['call', numberOf('memfd_create'), 'x', 0],
      'refused',
    ),
    onBun('system-calls.flock', 'lock a file', ['call', numberOf('flock'), 1, 8], 'refused'),
  ]
}

function memory(): ContainmentCheck[] {
  const [readWriteExecute, readExecute, privateAnonymous] = [7, 5, 0x22]
  const hugePages = 0x40000
  return [
    inside(
      'system-calls.map-writable-and-executable',
      'get memory that can be written and executed',
      ['map', readWriteExecute, privateAnonymous],
      'EPERM',
    ),
    inside(
      'system-calls.map-executable',
      'get anonymous memory that can be executed',
      ['map', readExecute, privateAnonymous],
      'EPERM',
    ),
    inside(
      'system-calls.map-shared-executable',
      'get shared memory that can be executed',
      ['map', readWriteExecute, 0x21],
      'EPERM',
    ),
    inside('system-calls.make-executable', 'make written memory executable', ['make-executable'], 'EPERM'),
    inside('system-calls.map-huge-pages', 'take huge pages', ['map', 3, privateAnonymous | hugePages], 'EPERM'),
    inside('system-calls.map-locked', 'take locked pages', ['map', 3, privateAnonymous | 0x2000], 'EPERM'),
    inside('system-calls.map-plain', 'get plain memory (allowed)', ['map', 3, privateAnonymous], 'done'),
    inside(
      'system-calls.merge-pages',
      'have pages merged with those of others (MADV_MERGEABLE)',
      ['advise', 12],
      'EINVAL',
    ),
    inside('system-calls.poison-page', 'poison a page (MADV_HWPOISON)', ['advise', 100], 'EINVAL'),
    inside('system-calls.take-page-offline', 'take a page out of use (MADV_SOFT_OFFLINE)', ['advise', 101], 'EINVAL'),
    onBun('system-calls.map-huge-pages', 'take huge pages', ['map', 3, privateAnonymous | hugePages], 'refused'),
    onBun(
      'system-calls.map-executable',
      'get executable memory (its compiler needs it: allowed)',
      ['map', readWriteExecute, privateAnonymous],
      'done',
    ),
  ]
}

function arguments_(): ContainmentCheck[] {
  const prctl: Readonly<Record<string, readonly [text: string, ...values: number[]]>> = {
    'drop-no-new-privileges': ['take no_new_privs back', 38, 0],
    'strict-filter': ['change the filter (PR_SET_SECCOMP)', 22, 1],
    'death-signal': ['undo the signal on the death of its parent', 1, 0],
    dumpable: ['make itself readable for others (PR_SET_DUMPABLE)', 4, 1],
    'keep-capabilities': ['keep capabilities (PR_SET_KEEPCAPS)', 8, 1],
    'secure-bits': ['change the secure bits', 28, 0],
    'ambient-capability': ['raise an ambient capability', 47, 2, 0],
    tracer: ['allow a tracer (PR_SET_PTRACER)', 0x59616d61, -1],
    subreaper: ['become the parent of orphans (PR_SET_CHILD_SUBREAPER)', 36, 1],
    'memory-map': ['change its memory map as the kernel tells it (PR_SET_MM)', 35, 1, 0],
    speculation: ['turn off protections against speculation', 53, 0, 2],
    'timer-slack': ['change its timer slack', 29, 1],
    'machine-check': ['change the machine-check policy', 33, 0],
  }
  const fcntl: Readonly<Record<string, readonly [text: string, command: number, argument: number]>> = {
    lease: ['take a lease on a file', 1024, 0],
    notify: ['be told of changes in a directory', 1026, 1],
    owner: ['have signals sent to another process (F_SETOWN)', 8, 1],
    signal: ['choose the signal of a descriptor (F_SETSIG)', 10, 9],
    seals: ['seal a file', 1033, 1],
  }
  return [
    ...Object.entries(prctl).map(([name, [text, ...values]]) =>
      inside(`system-calls.prctl-${name}`, text, ['prctl', ...values], 'EINVAL'),
    ),
    ...Object.entries(fcntl).map(([name, [text, command, argument]]) =>
      inside(`system-calls.fcntl-${name}`, text, ['fcntl', command, argument], 'EINVAL'),
    ),
    inside('limits.pipe-size', 'make a pipe larger', ['pipe-size', 1 << 20], 'EINVAL'),
  ]
}

/** Other ways into the kernel, and numbers that no list names. */
function conventions(architecture: Architecture, numberOf: (name: string) => number): ContainmentCheck[] {
  const { foreignBit } = architecture
  const ofX32 =
    foreignBit === null
      ? []
      : ['getpid', 'execve', 'mount'].map((name) =>
          alone(
            `system-calls.x32-${name}`,
            `call ${name} by the x32 convention`,
            ['call', foreignBit + numberOf(name), ...zeros],
            [killed],
          ),
        )
  // 335 and 336 are return paths of the kernel's own probes, which it answers with SIGILL before any filter is asked.
  const listed = [...architecture.numbers.values(), 335, 336].join(' ')
  return [
    ...ofX32,
    inside(
      'system-calls.unlisted',
      'call each number below 424 that is in no list',
      ['sweep', 0, 424, listed, 'EPERM'],
      'none',
    ),
    inside(
      'system-calls.unknown',
      'call each number from 424 to 700 that is in no list',
      ['sweep', 424, 700, listed, 'ENOSYS'],
      'none',
    ),
    inside('system-calls.getpid', 'call getpid (allowed)', ['call', numberOf('getpid')], 'done'),
  ]
}
