/** One look at the first process of a jail: ids, capabilities, filters, namespaces (inodes, by kind) and network devices. */
export interface JailReadingDraft {
  readonly uid: number
  readonly hasCapabilities: boolean
  readonly noNewPrivs: boolean
  readonly seccompMode: number
  /** `null` where the kernel does not count them. */
  readonly seccompFilters: number | null
  readonly namespaces: Readonly<Record<string, number>>
  /** Kinds of namespaces that were not its own. */
  readonly shared: readonly string[]
  readonly devices: readonly string[]
}

/** What was read back of a jail, before its code came and after that had ended (`null`: it was gone by itself). */
export interface JailDraft {
  readonly kernel: string
  readonly before: JailReadingDraft
  readonly after: JailReadingDraft | null
  readonly group: { readonly memoryBytes: number | null; readonly processes: number | null } | null
}

/** The members of `outcome.jail` in a record, sorted. A second look that found the same is the word `same`: it nearly always is. */
export function jailMembers({ kernel, before, after, group }: JailDraft) {
  const first = readingMembers(before)
  const second = after === null ? null : readingMembers(after)
  return {
    after: second !== null && JSON.stringify(second) === JSON.stringify(first) ? 'same' : second,
    before: first,
    group: group === null ? null : { memory_bytes: group.memoryBytes, processes: group.processes },
    kernel,
  }
}

function readingMembers(reading: JailReadingDraft) {
  const kinds = Object.entries(reading.namespaces).sort(([left], [right]) => (left < right ? -1 : 1))
  return {
    capabilities: reading.hasCapabilities,
    devices: reading.devices,
    namespaces: Object.fromEntries(kinds),
    no_new_privs: reading.noNewPrivs,
    seccomp_filters: reading.seccompFilters,
    seccomp_mode: reading.seccompMode,
    shared: reading.shared,
    uid: reading.uid,
  }
}
