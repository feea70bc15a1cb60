import type { JailEvidence, JailReading } from './jail-evidence.ts'

/** One thing that must have held of a jail, and whether the kernel's word says so. */
export interface EvidenceCheck {
  readonly id: 'sandbox-confined' | 'sandbox-network' | 'sandbox-bounds'
  readonly pass: boolean
  /** What was found instead; `null` where it held and there is nothing to add. */
  readonly detail: string | null
}

/** What the jail was to be, beside what every jail is. */
export interface ExpectedJail {
  /** Whether each jail has a cgroup here. */
  readonly hasGroup: boolean
  /** Memory that its function may have, in bytes; its group's bound holds what the runtime and the files need besides. */
  readonly memoryBytes: number
  readonly scratchBytes: number
}

/** Room in a group beside what a function may have: runtime, code and what else the kernel keeps; never more than this. */
const roomBytes = 256 * 1024 * 1024
/** Threads of the runtime and of the engine, and processes of the function. */
const mostProcesses = 4096

/**
 * Holds what was read back from the kernel against what a jail must be: not what was asked for, and nothing that came out
 * of the jail.
 */
export function checkEvidence(evidence: JailEvidence, expected: ExpectedJail): EvidenceCheck[] {
  return [
    check('sandbox-confined', confinementFault(evidence)),
    networkCheck(evidence),
    check('sandbox-bounds', boundsFault(evidence, expected)),
  ]
}

function check(id: EvidenceCheck['id'], fault: string | null): EvidenceCheck {
  return { id, pass: fault === null, detail: fault }
}

function confinementFault({ kernel, before, after }: JailEvidence): string | null {
  const fault = readingFault(before, kernel)
  if (fault !== null) return fault
  if (after === null) return null
  const later = readingFault(after, kernel)
  if (later !== null) return `after it had run: ${later}`
  const moved = Object.keys(before.namespaces).filter((kind) => before.namespaces[kind] !== after.namespaces[kind])
  return moved.length === 0 ? null : `it was in other namespaces after it had run: ${moved.join(', ')}`
}

function readingFault(reading: JailReading, kernel: JailEvidence['kernel']): string | null {
  if (reading.uid === 0) return 'it had user id 0 outside of the jail'
  if (!reading.noNewPrivs) return 'no_new_privs was off'
  if (reading.seccompMode !== 2) return 'no system-call filter was on'
  // The keeper of a guest is under one filter of its own making, holds capabilities over nothing, and shares what it needs.
  const least = kernel === 'guest' ? 1 : 2
  if (reading.seccompFilters !== null && reading.seccompFilters < least)
    return `it was under ${reading.seccompFilters} system-call filters, and ${least} are the least`
  if (kernel === 'guest') return null
  if (reading.hasCapabilities) return 'it held capabilities'
  return reading.shared.length === 0 ? null : `it shared namespaces with what started it: ${reading.shared.join(', ')}`
}

/** Functions have no network: nothing but the loopback device may have been there, before and after. */
function networkCheck({ kernel, before, after }: JailEvidence): EvidenceCheck {
  if (kernel === 'guest')
    return { id: 'sandbox-network', pass: true, detail: 'not read back: its network is that of a kernel of its own' }
  // Every network namespace has a loopback device: a list without it is no list.
  if ([before, after].some((reading) => reading?.devices.includes('lo') === false))
    return check('sandbox-network', 'its network devices could not be read')
  const devices = [...new Set([...before.devices, ...(after?.devices ?? [])])].filter((name) => name !== 'lo')
  return check('sandbox-network', devices.length === 0 ? null : `network devices were there: ${devices.join(', ')}`)
}

function boundsFault({ group, kernel }: JailEvidence, expected: ExpectedJail): string | null {
  // The processes of a guest are made before they could be put into a group: its bounds are the keeper's.
  if (!expected.hasGroup || kernel === 'guest') return null
  if (group === null) return 'it was in no cgroup of its own'
  const most = expected.memoryBytes + expected.scratchBytes + roomBytes
  if (group.memoryBytes === null || group.memoryBytes > most)
    return `its cgroup bounded memory at ${group.memoryBytes ?? 'nothing'}, and ${most} bytes are the most`
  if (group.processes === null || group.processes > mostProcesses)
    return `its cgroup bounded processes at ${group.processes ?? 'nothing'}, and ${mostProcesses} are the most`
  return null
}
