/** What the kernel told of one jail, from outside of it: just before it got the code, and again when the code had ended. */
export interface JailEvidence {
  /** `guest`: the process that was looked at keeps a kernel of its own, of whose insides this kernel tells nothing. */
  readonly kernel: 'host' | 'guest'
  readonly before: JailReading
  /** `null` where the process had ended by itself before it could be looked at again. */
  readonly after: JailReading | null
  /** Bounds of its cgroup as they stood there; `null` where it has none. */
  readonly group: { readonly memoryBytes: number | null; readonly processes: number | null } | null
}

/** One look at the first process of a jail. */
export interface JailReading {
  /** Effective user id, as a number of the executor's user namespace. */
  readonly uid: number
  /** Whether any of its five capability sets holds one. */
  readonly hasCapabilities: boolean
  readonly noNewPrivs: boolean
  /** 2: a filter is on. */
  readonly seccompMode: number
  /** Filters beyond those that the executor itself is under; `null` where the kernel does not count them. */
  readonly seccompFilters: number | null
  /** Identity (inode) of each namespace, by the kernel's name of its kind. */
  readonly namespaces: Readonly<Record<string, number>>
  /** Kinds of namespaces that it shares with the executor. */
  readonly shared: readonly string[]
  /** Network devices in its network namespace. */
  readonly devices: readonly string[]
}
