/** What a list is run on. */
export interface EngineSetting {
  readonly engine: string
  readonly mode: 'fast' | 'fresh'
  /** `guest`: the engine answers system calls with a kernel of its own. */
  readonly kernel: 'host' | 'guest'
  /** Why jails have no cgroups on this machine; `null` where they have. */
  readonly noCgroups: string | null
}

/** A check that is known to be open on some engines. */
interface ExpectedException {
  readonly engines: readonly string[]
  readonly ids: readonly string[]
  /** In which mode; absent: in both. Engines without a fast path are as in `fresh`. */
  readonly mode?: EngineSetting['mode']
  /** Depends on the machine, so that it is no mistake where it holds. */
  readonly mayHold: boolean
  readonly reason: string
}

const sharedKernel = ['bubblewrap', 'nsjail', 'crun', 'runc'] as const

/** Engines with a fast path. The others make each jail anew in either mode. */
const forking: readonly string[] = ['bubblewrap', 'nsjail']

/**
 * Every check that does not hold on some engine, with the reason. An exception that no longer occurs fails the command,
 * so that this list stays true.
 */
const expectedExceptions: readonly ExpectedException[] = [
  {
    engines: sharedKernel,
    ids: ['views.kernel-release', 'views.kernel-release.typescript', 'views.kernel-build'],
    mayHold: false,
    reason: 'the kernel is shared, and its release cannot be hidden: no namespace covers it',
  },
  {
    engines: sharedKernel,
    ids: ['views.uptime-by-boot-clock', 'views.uptime-by-monotonic-clock'],
    mayHold: true,
    reason:
      'the clocks are those of the machine; only a time namespace would hide its uptime, and only one since a minute holds',
  },
  {
    engines: ['bubblewrap'],
    ids: ['files.scratch-noexec', 'files.code-noexec', 'files.scratch-map-to-execute'],
    mode: 'fresh',
    mayHold: false,
    reason:
      'bubblewrap cannot mount tmpfs noexec. Programs cannot be executed all the same, the filter refuses it; code can be mapped, which gives a function nothing that its interpreter does not',
  },
  {
    engines: ['bubblewrap'],
    ids: ['files.scratch-inodes', 'files.code-inodes'],
    mode: 'fresh',
    mayHold: false,
    reason:
      'bubblewrap cannot bound the number of files; the executor counts them and ends the execution (limits.breach-scratch-files)',
  },
  {
    engines: sharedKernel,
    ids: ['proc.mount-table.typescript'],
    mode: 'fresh',
    mayHold: false,
    reason: 'the mount table names the directory of the host from which Bun and the runner are bound',
  },
  {
    engines: sharedKernel,
    ids: ['smaps', 'smaps-rollup', 'numa-maps', 'pagemap'].map((file) => `proc.pages-${file}.typescript`),
    mode: 'fresh',
    mayHold: true,
    reason:
      'only a jail that is forked can show files of its own process and no others; a whole /proc tells with how many processes of the machine a page of a shared file is shared, by which jails can count one another and leave each other signs',
  },
  {
    engines: ['bubblewrap'],
    ids: [
      'proc.bus-pci-devices.typescript',
      'proc.disks.typescript',
      'proc.partitions.typescript',
      'proc.interrupts.typescript',
      'views.pressure.typescript',
    ],
    mayHold: true,
    reason:
      'bubblewrap cannot mount a /proc of processes only, which Bun needs; what tells most is covered, each cover costs every jail 0.1 ms, and these tell of the hardware and its use only',
  },
  {
    engines: ['nsjail'],
    ids: ['files.mount-root', 'files.mount-usr', 'files.mount-libraries', 'files.mount-runner', 'files.mount-dev'],
    mayHold: true,
    reason:
      'nsjail mounts the root itself, read-only and without other flags; it holds mount points only, and no device works in the file system of a user namespace',
  },
  {
    engines: ['runc'],
    ids: [
      'capabilities.ids',
      'capabilities.user-map',
      'capabilities.user-map.typescript',
      'capabilities.group-map',
      'capabilities.group-map.typescript',
      'capabilities.own-user.typescript',
      'capabilities.own-group.typescript',
    ],
    mayHold: false,
    reason:
      'runc without privilege maps its user to 0 inside; outside it is the unprivileged user of the executor, and it holds no capability (capabilities.host-user, capabilities.effective)',
  },
  {
    engines: sharedKernel,
    ids: ['siblings.hash-seed', 'siblings.layout'],
    mode: 'fast',
    mayHold: true,
    reason:
      'children of one zygote share its hash seed and its address-space layout until the zygote is replaced; mode "fresh" shares neither',
  },
]

/** The exception of a check on an engine, if there is one. */
export function exceptionFor(id: string, { engine, mode }: EngineSetting): ExpectedException | undefined {
  const ways = forking.includes(engine) ? mode : 'fresh'
  return expectedExceptions.find(
    (each) => each.ids.includes(id) && each.engines.includes(engine) && (each.mode === undefined || each.mode === ways),
  )
}
