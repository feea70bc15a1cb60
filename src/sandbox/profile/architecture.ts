import aarch64 from './syscalls-aarch64.json' with { type: 'json' }
import x86_64 from './syscalls-x86-64.json' with { type: 'json' }

/** What a filter must know of a processor architecture. */
export interface Architecture {
  readonly name: 'x86_64' | 'aarch64'
  /** `AUDIT_ARCH_*` of linux/audit.h. */
  readonly auditArch: number
  /** System-call numbers of the names that the profile uses. A name that is absent does not exist on this architecture. */
  readonly numbers: ReadonlyMap<string, number>
  /** Calls with this bit belong to another calling convention (x32); `null` where there is none. */
  readonly foreignBit: number | null
}

/** The architectures that filters are made for, by the name Node gives them (`process.arch`). */
export const architectures: ReadonlyMap<string, Architecture> = new Map([
  ['x64', { name: 'x86_64', auditArch: 0xc000003e, numbers: new Map(Object.entries(x86_64)), foreignBit: 0x40000000 }],
  ['arm64', { name: 'aarch64', auditArch: 0xc00000b7, numbers: new Map(Object.entries(aarch64)), foreignBit: null }],
])
