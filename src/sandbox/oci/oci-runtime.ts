/** How one OCI runtime is called, and what of the jail it makes differently from the others. */
export interface OciRuntime {
  readonly name: 'crun' | 'runc' | 'runsc' | 'kata'
  /** `guest`: the program in the jail runs on a kernel that the runtime brings. */
  readonly kernel: 'host' | 'guest'
  /** What the first process takes itself for, user and group. Outside it has the executor's ids in any case. */
  readonly idInside: number
  /** What is in each of its jails beside what the layout shows. */
  readonly adds: readonly string[]
  /** The descriptor on which the runner finds its channel. */
  readonly channel: 0 | 3
  /** Whether the runtime is to see no cgroups. */
  readonly hidesCgroups: boolean
  /** Options before the command. */
  readonly options: readonly string[]
  /** Options of the command `run`. */
  readonly runOptions: readonly string[]
}

const channelPassed = ['--preserve-fds', '1'] as const

/** The runtimes that can be driven by the OCI command line, by the name in the configuration. */
export const ociRuntimes: Readonly<Record<'crun' | 'runc' | 'runsc', OciRuntime>> = {
  crun: {
    name: 'crun',
    kernel: 'host',
    idInside: 65_534,
    adds: [],
    channel: 3,
    // It refuses to work where cgroups v1 and v2 are mixed, also when it is told to leave them alone.
    hidesCgroups: true,
    options: ['--cgroup-manager=disabled'],
    runOptions: ['--no-new-keyring', ...channelPassed],
  },
  runc: {
    name: 'runc',
    kernel: 'host',
    // It wants id 0 mapped, and there is one id to map. That process holds no capability and cannot get any.
    idInside: 0,
    // While it starts, it looks into the jail's /proc for what to close.
    adds: ['/proc'],
    channel: 3,
    hidesCgroups: false,
    options: ['--rootless', 'true'],
    runOptions: ['--no-new-keyring', ...channelPassed],
  },
  runsc: {
    name: 'runsc',
    kernel: 'guest',
    idInside: 0,
    // Devices and processes of the guest kernel. None of them is the host's.
    adds: [
      '/proc',
      '/sys',
      ...['fd', 'fuse', 'net', 'ptmx', 'pts', 'shm', 'stderr', 'stdin', 'stdout', 'tty', 'zero'].map(
        (name) => `/dev/${name}`,
      ),
    ],
    // Its builds before 2023 pass no descriptor but the standard three.
    channel: 0,
    hidesCgroups: false,
    options: ['--rootless', '--network=none', '--ignore-cgroups', '--platform=ptrace'],
    runOptions: [],
  },
}
