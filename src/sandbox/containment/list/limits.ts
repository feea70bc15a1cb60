import type { Architecture } from '../../profile/architecture.ts'
import { runnerSetup } from '../../executor/runner-setup.ts'
import { probeLimits } from '../ask-jail.ts'
import type { ContainmentCheck } from '../containment-check.ts'
import { after, alone, held, inside, like } from './make-check.ts'

const mebibyte = 1024 * 1024
const small = { memoryBytes: 128 * mebibyte, wallMs: 10_000, cpuMs: 10_000 } as const
const short = { wallMs: 300 } as const

/** Limits that no jail sets: the value inside is the host's, and a raise must be refused all the same. */
const rlimits = {
  cpu: 0,
  'file-size': 1,
  data: 2,
  stack: 3,
  core: 4,
  processes: 6,
  'open-files': 7,
  'locked-memory': 8,
  'address-space': 9,
  locks: 10,
  signals: 11,
  'message-queues': 12,
  nice: 13,
  'real-time': 14,
} as const

/** Limits: their values, that none can be raised, and that each breach ends the execution and is named. */
export function limitChecks(architecture: Architecture): ContainmentCheck[] {
  const prlimit = architecture.numbers.get('prlimit64') ?? -1
  const setup = runnerSetup('python', probeLimits, 0, '')
  const bounds = new Map([...setup.limits, [rlimits.data, setup.dataBytes]])
  return [
    inside('limits.core', 'write a core file', ['limit', rlimits.core], '0 0'),
    inside('limits.locked-memory', 'lock memory', ['limit', rlimits['locked-memory']], '0 0'),
    inside('limits.message-queues', 'use message queues', ['limit', rlimits['message-queues']], '0 0'),
    inside('limits.nice', 'raise its priority', ['limit', rlimits.nice], '0 0'),
    inside('limits.real-time', 'run in real time', ['limit', rlimits['real-time']], '0 0'),
    ...(['cpu', 'file-size', 'data', 'processes', 'open-files', 'address-space'] as const).map((name) =>
      inside(
        `limits.${name}`,
        `have another bound on ${name.replace('-', ' ')} than was asked for`,
        ['limit', rlimits[name]],
        String(bounds.get(rlimits[name])).replace(/^.*$/, '$& $&'),
      ),
    ),
    ...Object.entries(rlimits).map(([name, number]) =>
      inside(
        `limits.raise-${name}`,
        `raise the limit of ${name.replace('-', ' ')}`,
        ['raise-limit', prlimit, number],
        'EPERM',
      ),
    ),
    ...breaches(),
    held('limits.oom-score', 'be spared by the out-of-memory killer', 'python', like(/^\d+$/, '0 or more')),
    held('limits.cgroup', 'be in the cgroup of the server', 'python', 'one of its own'),
    after('limits.next-call', 'run the next call after all of this', 'done'),
    after('limits.no-process-left', 'leave a process behind', 'none'),
    after('limits.no-mount-left', 'leave a mount behind', 'none'),
    after('limits.no-cgroup-left', 'leave a cgroup behind', 'none'),
    after('limits.no-file-left', 'leave a file behind', 'none'),
  ]
}

function breaches(): ContainmentCheck[] {
  return [
    alone('limits.breach-wall', 'sleep beyond the time', ['sleep', 3], ['limit: wall'], short),
    alone(
      'limits.breach-wall-ignoring-signals',
      'ignore every signal and sleep',
      ['ignore-and-sleep', 3],
      ['limit: wall'],
      short,
    ),
    alone('limits.breach-wall-stopped', 'stop itself', ['stop-itself', 3], ['limit: wall'], short),
    alone('limits.breach-wall-closed', 'close every descriptor and sleep', ['close-all', 3], ['limit: wall'], short),
    alone('limits.breach-cpu', 'use more processor time', ['burn', 3], ['limit: cpu'], { cpuMs: 300 }),
    alone('limits.breach-memory', 'take more memory', ['take-memory', 512], ['limit: memory'], small),
    alone(
      'limits.breach-shared-memory',
      'take memory that is mapped for all',
      ['share-memory', 512],
      [like(/^exception: PermissionError/, 'EPERM')],
      small,
    ),
    alone('limits.breach-processes', 'start processes', ['fork-often', 50], ['limit: processes']),
    alone('limits.breach-threads', 'start more threads', ['start-threads', 60], ['limit: processes'], { processes: 8 }),
    alone('limits.breach-open-files', 'open more files', ['hold-open', 200], ['limit: open-files'], { openFiles: 32 }),
    alone('limits.breach-scratch-bytes', 'fill /tmp', ['fill', '/tmp', 100, 65_536], ['limit: scratch'], {
      scratchBytes: mebibyte,
    }),
    alone('limits.breach-scratch-files', 'make 40,000 empty files', ['fill', '/tmp', 40_000, 0], ['limit: scratch']),
    alone('limits.breach-code-files', 'make 40,000 empty files in /fn', ['fill', '/fn', 40_000, 0], ['limit: scratch']),
    alone(
      'limits.breach-file-size',
      'write a file that is larger than /tmp',
      ['grow', '/tmp/large', 4 * mebibyte],
      ['limit: scratch'],
      { scratchBytes: mebibyte },
    ),
    alone('limits.breach-output', 'flood its output', ['say', 30_000], ['limit: output'], { outputBytes: 1024 }),
    alone('limits.breach-log', 'flood the log', ['log-often', 30_000], ['limit: output'], { outputBytes: 1024 }),
    alone('limits.breach-result', 'return too much', ['return', 200_000], ['limit: result'], { resultBytes: 4096 }),
  ]
}
