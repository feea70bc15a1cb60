import type { ContainmentCheck, ExpectedAnswer } from '../containment-check.ts'
import { absent, inside, like, onBun, onlyOf, readOnly } from './make-check.ts'

const unreadable: readonly ExpectedAnswer[] = [absent, 'EACCES', 'EPERM', 'empty', 'EIO']

/** Files of /proc that tell of the kernel or the machine; each must be away, refused or empty. */
const tellingFiles = [
  'kcore',
  'kmsg',
  'keys',
  'key-users',
  'timer_list',
  'slabinfo',
  'cmdline',
  'config.gz',
  'version',
  'modules',
  'kpagecount',
  'kpageflags',
  'vmallocinfo',
  'pagetypeinfo',
  'sched_debug',
  'latency_stats',
  'mtrr',
  'bus/pci/devices',
  'driver/rtc',
  'scsi/scsi',
  'acpi/wakeup',
  'sysvipc/shm',
  'sysvipc/sem',
  'sysvipc/msg',
] as const

/** Files of a process that tell, page by page or in sum, with how many processes of the machine it shares files in memory. */
const pageCounts = ['smaps', 'smaps_rollup', 'numa_maps', 'pagemap'] as const

/** Files through which the kernel is set, below /proc. */
const settingFiles = [
  'sysrq-trigger',
  'sys/kernel/core_pattern',
  'sys/kernel/modprobe',
  'sys/kernel/hotplug',
  'sys/kernel/randomize_va_space',
  'sys/kernel/yama/ptrace_scope',
  'sys/kernel/unprivileged_bpf_disabled',
  'sys/vm/overcommit_memory',
  'sys/vm/panic_on_oom',
  'sys/fs/binfmt_misc/register',
  'sys/net/ipv4/ip_forward',
  'sys/user/max_user_namespaces',
  'self/oom_score_adj',
  'self/uid_map',
  'self/gid_map',
  'self/setgroups',
  'self/loginuid',
  'self/attr/current',
] as const

const slug = (path: string): string => path.replaceAll(/[^a-z0-9]+/g, '-')

/** /proc, /sys and /dev. */
export function kernelViewChecks(): ContainmentCheck[] {
  return [...proc(), ...sys(), ...dev()]
}

function proc(): ContainmentCheck[] {
  const python = [...tellingFiles, 'kallsyms', 'mounts', 'net/unix', 'locks', 'cpuinfo', 'meminfo'] as const
  return [
    inside(
      'proc.absent',
      'find more than itself in /proc',
      ['listing', '/proc'],
      absent,
      'empty',
      like(/^\d+ self thread-self$/, 'nothing but itself'),
    ),
    ...python.map((path) =>
      inside(`proc.${slug(path)}`, `read /proc/${path}`, ['read', `/proc/${path}`], ...unreadable),
    ),
    ...settingFiles.map((path) =>
      inside(
        `proc.set-${slug(path)}`,
        `open /proc/${path} for writing`,
        ['write', `/proc/${path}`],
        absent,
        readOnly,
        'EACCES',
        'EPERM',
      ),
    ),
    ...tellingFiles.map((path) =>
      onBun(
        `proc.${slug(path)}`,
        `read /proc/${path}`,
        ['read', `/proc/${path}`],
        ...unreadable,
        ...(path.startsWith('sysvipc') ? [like(/^read: +key[^\n]*\n$/, 'a title without lines')] : []),
      ),
    ),
    ...settingFiles.map((path) =>
      onBun(
        `proc.set-${slug(path)}`,
        `write to /proc/${path}`,
        ['write-text', `/proc/${path}`, path === 'self/oom_score_adj' ? '-1000' : '0'],
        absent,
        readOnly,
        'EACCES',
        'EPERM',
        'EINVAL',
      ),
    ),
    onBun('proc.own-processes', 'see a process besides itself', ['other-processes'], 'none', '1'),
    onBun(
      'proc.kernel-addresses',
      'read addresses in /proc/kallsyms',
      ['addresses', '/proc/kallsyms'],
      'none',
      ...unreadable,
    ),
    onBun(
      'proc.memory-map-of-machine',
      'read addresses in /proc/iomem',
      ['addresses', '/proc/iomem'],
      'none',
      ...unreadable,
    ),
    onBun('proc.mount-table', 'read a directory of the host in the mount table', ['mount-sources'], 'none', 'ENOENT'),
    ...pageCounts.map((file) =>
      onBun(
        `proc.pages-${slug(file)}`,
        `learn from /proc/self/${file} how many processes of the machine have a page of a shared file`,
        ['read', `/proc/self/${file}`],
        'ENOENT',
      ),
    ),
    onBun('proc.unix-sockets', 'see a socket in /proc/net/unix', ['lines', '/proc/net/unix'], '0 lines', ...unreadable),
    onBun('proc.tcp-sockets', 'see a socket in /proc/net/tcp', ['lines', '/proc/net/tcp'], '0 lines', ...unreadable),
    onBun('proc.udp-sockets', 'see a socket in /proc/net/udp', ['lines', '/proc/net/udp'], '0 lines', ...unreadable),
    onBun('proc.routes', 'see a route in /proc/net/route', ['lines', '/proc/net/route'], '0 lines', ...unreadable),
    onBun('proc.neighbours', 'see a neighbour in /proc/net/arp', ['lines', '/proc/net/arp'], '0 lines', ...unreadable),
    onBun('proc.locks', 'see locks of others in /proc/locks', ['read', '/proc/locks'], ...unreadable),
    onBun('proc.disks', 'see disks in /proc/diskstats', ['read', '/proc/diskstats'], ...unreadable),
    onBun('proc.partitions', 'see partitions in /proc/partitions', ['read', '/proc/partitions'], ...unreadable),
    onBun(
      'proc.interrupts',
      'see interrupts in /proc/interrupts',
      ['figures', '/proc/interrupts'],
      'none',
      ...unreadable,
    ),
    onBun('proc.swaps', 'see swap files in /proc/swaps', ['lines', '/proc/swaps'], '0 lines', ...unreadable),
    onBun('proc.boot-id', 'read the id of this boot', ['read', '/proc/sys/kernel/random/boot_id'], ...unreadable),
    onBun(
      'proc.memory-of-first-process',
      'open the memory of process 1 where it is another one',
      ['other-processes'],
      'none',
      '1',
    ),
    onBun(
      'proc.own-memory-by-self',
      'change the own program through /proc/self/mem (opening it is allowed)',
      ['write', '/proc/self/mem'],
      'done',
      readOnly,
      ...unreadable,
    ),
  ]
}

function sys(): ContainmentCheck[] {
  const places: Readonly<Record<string, string>> = {
    root: '/sys',
    cgroup: '/sys/fs/cgroup',
    'cgroup-processes': '/sys/fs/cgroup/cgroup.procs',
    'release-agent': '/sys/fs/cgroup/memory/release_agent',
    dmi: '/sys/class/dmi/id/product_uuid',
    net: '/sys/class/net',
    block: '/sys/block',
    devices: '/sys/devices',
    module: '/sys/module',
    firmware: '/sys/firmware',
    kernel: '/sys/kernel',
    debug: '/sys/kernel/debug',
    tracing: '/sys/kernel/tracing',
    security: '/sys/kernel/security',
    'uevent-helper': '/sys/kernel/uevent_helper',
    bpf: '/sys/fs/bpf',
    fuse: '/sys/fs/fuse/connections',
    power: '/sys/power/state',
  }
  return Object.entries(places).flatMap(([name, path]) => [
    inside(`sys.${name}`, `find ${path}`, ['stat', path], absent),
    onBun(`sys.${name}`, `find ${path}`, ['stat', path], absent),
  ])
}

function dev(): ContainmentCheck[] {
  const away = [
    'tty',
    'console',
    'ptmx',
    'pts',
    'kvm',
    'mem',
    'port',
    'kmsg',
    'fuse',
    'net/tun',
    'vhost-net',
    'vhost-vsock',
    'vsock',
    'sda',
    'vda',
    'nvme0',
    'loop0',
    'loop-control',
    'mapper/control',
    'input',
    'uinput',
    'rtc',
    'hpet',
    'snapshot',
    'shm',
    'mqueue',
    'dri',
    'userfaultfd',
    'cpu_dma_latency',
    'zero',
    'fd',
    'stdin',
    'log',
  ] as const
  const four = ['full', 'null', 'random', 'urandom'] as const
  const numbers: Readonly<Record<(typeof four)[number], string>> = {
    null: '1:3',
    full: '1:7',
    random: '1:8',
    urandom: '1:9',
  }
  return [
    inside('dev.listing', 'list /dev', ['listing', '/dev'], four.join(' ')),
    onBun('dev.listing', 'list /dev', ['listing', '/dev'], four.join(' ')),
    ...away.map((name) => inside(`dev.no-${slug(name)}`, `find /dev/${name}`, ['stat', `/dev/${name}`], absent)),
    ...four.map((name) =>
      inside(`dev.${name}`, `/dev/${name} is the device of that name`, ['device', `/dev/${name}`], numbers[name]),
    ),
    inside('dev.make-character-device', 'make the device of the memory in /tmp', ['mknod', 'character', 1, 1], 'EPERM'),
    inside('dev.make-block-device', 'make the device of a disk in /tmp', ['mknod', 'block', 8, 0], 'EPERM'),
    inside('dev.terminal-input', 'push input into a terminal (TIOCSTI)', ['ioctl', 0x5412], 'EPERM'),
    inside('dev.console-input', 'paste into a console (TIOCLINUX)', ['ioctl', 0x541c], 'EPERM'),
    inside('dev.take-terminal', 'take a controlling terminal (TIOCSCTTY)', ['ioctl', 0x540e], 'EPERM'),
    inside('dev.add-entropy', 'add entropy to the generator of the machine', ['ioctl', 0x40085203], 'EPERM'),
    inside(
      'dev.full-is-full',
      'list what is below /dev besides the four',
      ['find', 'character'],
      onlyOf(...four.map((name) => `/dev/${name}`)),
    ),
  ]
}
