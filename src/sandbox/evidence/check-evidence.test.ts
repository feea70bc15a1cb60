import { describe, expect, it } from 'vitest'
import { checkEvidence } from './check-evidence.ts'
import type { JailEvidence, JailReading } from './jail-evidence.ts'

const good: JailReading = {
  uid: 1_990_000_000,
  hasCapabilities: false,
  noNewPrivs: true,
  seccompMode: 2,
  seccompFilters: 2,
  namespaces: { user: 1, mnt: 2, pid: 3, net: 4, ipc: 5, uts: 6, cgroup: 7 },
  shared: [],
  devices: ['lo'],
}
const bounds = { memoryBytes: 300 * 2 ** 20, processes: 20 }
const expected = { hasGroup: true, memoryBytes: 128 * 2 ** 20, scratchBytes: 2 ** 20 }
const evidence: JailEvidence = { kernel: 'host', before: good, after: good, group: bounds }

/** Ids and details of what does not pass. */
function faults(change: Partial<JailEvidence>, wanted = expected): [string, string | null][] {
  return checkEvidence({ ...evidence, ...change }, wanted)
    .filter(({ pass }) => !pass)
    .map(({ id, detail }) => [id, detail])
}

describe('what was read back of a jail', () => {
  it('passes where it was a jail, before its code and after, or where it was gone by itself', () => {
    expect(faults({})).toEqual([])
    expect(faults({ after: null })).toEqual([])
  })

  it.each<[string, Partial<JailReading>, string]>([
    ['root outside', { uid: 0 }, 'it had user id 0 outside of the jail'],
    ['capabilities', { hasCapabilities: true }, 'it held capabilities'],
    ['new privileges', { noNewPrivs: false }, 'no_new_privs was off'],
    ['no filter', { seccompMode: 0 }, 'no system-call filter was on'],
    ['one filter', { seccompFilters: 1 }, 'it was under 1 system-call filters, and 2 are the least'],
    ['a shared namespace', { shared: ['net'] }, 'it shared namespaces with what started it: net'],
  ])('fails with %s, whenever it was seen', (_, change, sentence) => {
    const bad = { ...good, ...change }
    expect(faults({ before: bad })).toEqual([['sandbox-confined', sentence]])
    expect(faults({ after: bad })).toEqual([['sandbox-confined', `after it had run: ${sentence}`]])
  })

  it('fails where it was in other namespaces afterwards', () => {
    const moved = { ...good, namespaces: { ...good.namespaces, mnt: 99 } }
    expect(faults({ after: moved })).toEqual([['sandbox-confined', 'it was in other namespaces after it had run: mnt']])
  })

  it('fails with a network device that is not the loopback', () => {
    const online = { ...good, devices: ['eth0', 'lo'] }
    expect(faults({ after: online })).toEqual([['sandbox-network', 'network devices were there: eth0']])
  })

  it('fails where its network devices could not be read', () => {
    const unread: [string, string][] = [['sandbox-network', 'its network devices could not be read']]
    expect(faults({ before: { ...good, devices: [] } })).toEqual(unread)
    expect(faults({ after: { ...good, devices: [] } })).toEqual(unread)
  })

  it('fails without a group where there are groups, and with one that bounds nothing', () => {
    expect(faults({ group: null })).toEqual([['sandbox-bounds', 'it was in no cgroup of its own']])
    expect(faults({ group: null }, { ...expected, hasGroup: false })).toEqual([])
    expect(faults({ group: { ...bounds, memoryBytes: null } })).toHaveLength(1)
    expect(faults({ group: { ...bounds, memoryBytes: 2 ** 40 } })).toHaveLength(1)
    expect(faults({ group: { ...bounds, processes: null } })).toHaveLength(1)
  })

  it('is of the keeper alone where the jail has a kernel of its own', () => {
    const keeper = { ...good, hasCapabilities: true, seccompFilters: 1, shared: ['cgroup'], devices: ['eth0'] }
    const checks = checkEvidence({ ...evidence, kernel: 'guest', before: keeper, after: keeper, group: null }, expected)
    expect(checks.map(({ pass }) => pass)).toEqual([true, true, true])
    expect(checks[1]?.detail).toContain('not read back')
    expect(faults({ kernel: 'guest', before: { ...keeper, seccompMode: 0 } })).toHaveLength(1)
  })
})
