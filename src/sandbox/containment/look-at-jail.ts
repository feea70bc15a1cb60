import { closeSync, existsSync, openSync, readdirSync, readlinkSync, readSync, statSync } from 'node:fs'
import { processFacts } from '../executor/process-facts.ts'
import { jailProfile } from '../profile/jail-profile.ts'
import type { Runtime } from '../sandbox.ts'
import { readProc } from './find-process.ts'

const kinds = ['user', 'pid', 'net', 'ipc', 'uts', 'mnt', 'cgroup'] as const
const capabilityNames = ['inheritable', 'permitted', 'effective', 'bounding', 'ambient'] as const

/** Whom a look is at: the jail, a sibling that runs at the same time, and what must not be in the jail's memory. */
export interface LookedAt {
  readonly pid: number
  readonly siblingPid: number
  readonly runtime: Runtime
  readonly secretOfSibling: string
}

/**
 * What this process sees of a held jail, by the ids of the `held` checks. Needs the rights of the jails' user: the
 * server's own, or root. What cannot be read is answered as "unreadable", which no check takes for held.
 */
export function lookAtJail(looked: LookedAt): Map<string, string> {
  const suffix = looked.runtime === 'typescript' ? '.typescript' : ''
  const answers = new Map<string, string>()
  const put = (id: string, look: () => string): void => {
    answers.set(`${id}${suffix}`, orUnreadable(look))
  }
  const { pid } = looked
  putPrivileges(pid, put)
  for (const kind of kinds) {
    put(`namespaces.${kind}-of-host`, () => compare(kind, pid, 'self'))
    put(`namespaces.${kind}-of-sibling`, () => compare(kind, pid, looked.siblingPid))
  }
  put('network.only-loopback', () => columns(pid, 'net/dev', 2).map(beforeColon).join(' ') || 'none')
  put('network.no-routes', () => rowsOrNone(pid, 'net/route'))
  put(
    'network.no-sockets',
    () =>
      ['net/unix', 'net/tcp', 'net/udp', 'net/packet'].flatMap((name) => columns(pid, name, 1)).join('; ') || 'none',
  )
  put('signals.terminal', () => String(statFields(pid)[4]))
  put('signals.sibling', () => (statFields(pid)[3] === statFields(looked.siblingPid)[3] ? 'the same session' : 'ESRCH'))
  put('limits.oom-score', () => text(pid, 'oom_score_adj').trim())
  put('limits.cgroup', () => cgroupOf(pid))
  put('siblings.input-in-memory', () => searchMemory(pid, looked.secretOfSibling))
  put('siblings.scratch-of-other', () => (scratch(pid) === scratch(looked.siblingPid) ? 'the same' : 'another'))
  put('siblings.same-user', () => sameUser(pid))
  put('views.server-environment', () => sharedVariables(pid))
  put('views.command-line', () => text(pid, 'cmdline').replaceAll('\0', ' ').trim())
  put('views.open-files', () => openFiles(pid))
  return answers
}

function orUnreadable(look: () => string): string {
  try {
    return look()
    // oxlint-disable-next-line mcpworks/catch-fails-closed -- no check takes "unreadable" for an answer that holds
  } catch (error) {
    return `unreadable: ${String((error as { code?: unknown }).code ?? error)}`
  }
}

function putPrivileges(pid: number, put: (id: string, look: () => string) => void): void {
  const facts = processFacts(pid)
  const known = (): NonNullable<typeof facts> => {
    if (facts === null) throw new Error('the process is gone')
    return facts
  }
  for (const [index, name] of capabilityNames.entries())
    put(`capabilities.${name}`, () => known().capabilities[index]?.replace(/^0+(?=.)/, '') ?? 'no answer')
  put('capabilities.no-new-privileges', () => (known().noNewPrivs ? '1' : '0'))
  put('capabilities.filter-mode', () => String(known().seccompMode))
  put('capabilities.filters', () =>
    known().seccompFilters === 0 && known().seccompMode === 2 ? 'not told' : String(known().seccompFilters),
  )
  put('capabilities.host-user', () =>
    known().uids.length !== 4 || known().uids.includes(0) ? known().uids.join(' ') : 'not 0',
  )
  put('capabilities.host-group', () =>
    known().gids.length !== 4 || known().gids.includes(0) ? known().gids.join(' ') : 'not 0',
  )
  put('capabilities.host-groups', () => {
    const groups = /^Groups:\s*(.*)$/m.exec(text(pid, 'status'))?.[1]?.trim().split(/\s+/) ?? ['0']
    return groups.includes('0') ? groups.join(' ') : 'not 0'
  })
  put('capabilities.user-map', () => mapOf(pid, 'uid_map'))
  put('capabilities.group-map', () => mapOf(pid, 'gid_map'))
}

/** Ids that the jail's user namespace knows: inside, outside, how many. */
function mapOf(pid: number, name: string): string {
  const rows = text(pid, name).trim().split('\n')
  const [inside, outside, count] = rows[0]?.trim().split(/\s+/) ?? []
  return rows.length === 1 && inside !== '0' && outside !== '0' && count === '1'
    ? 'one id, not 0'
    : rows.join('; ').replaceAll(/ +/g, ' ')
}

function compare(kind: string, pid: number, other: number | 'self'): string {
  const link = (who: number | 'self'): string => readlinkSync(`/proc/${String(who)}/ns/${kind}`)
  return link(pid) === link(other) ? 'the same' : 'another'
}

function text(pid: number, name: string): string {
  const found = readProc(`/proc/${String(pid)}/${name}`)
  if (found === null) throw new Error(`${name} cannot be read`)
  return found
}

/** Lines of a table without its title. */
function columns(pid: number, name: string, titleLines: number): string[] {
  return text(pid, name).trim().split('\n').slice(titleLines)
}

function rowsOrNone(pid: number, name: string): string {
  return columns(pid, name, 1).join('; ') || 'none'
}

function beforeColon(line: string): string {
  return line.split(':')[0]?.trim() ?? ''
}

/** The fields of `/proc/<pid>/stat` after the name, which may hold anything: state, parent, group, session, terminal. */
function statFields(pid: number): string[] {
  const line = text(pid, 'stat')
  return line.slice(line.lastIndexOf(')') + 2).split(' ')
}

function cgroupOf(pid: number): string {
  const [inside, outside] = [text(pid, 'cgroup'), readProc('/proc/self/cgroup')]
  return inside === outside ? 'that of the server' : 'one of its own'
}

function scratch(pid: number): string {
  const { dev } = statSync(`/proc/${String(pid)}/root/tmp`)
  return String(dev)
}

function sameUser(pid: number): string {
  const uid = processFacts(pid)?.uids[0]
  const own = process.getuid?.()
  if (uid === undefined) return 'unreadable'
  return uid === own ? `the same, ${own === 0 ? 'root' : 'unprivileged'}` : 'another'
}

/** Names of variables that the jail has with the server's values, besides those that the profile gives. */
function sharedVariables(pid: number): string {
  const own = new Set((readProc('/proc/self/environ') ?? '').split('\0').filter((each) => each !== ''))
  const ofProfile = { ...jailProfile.environment, PWD: jailProfile.workingDirectory }
  const given = new Set(Object.entries(ofProfile).map(([name, value]) => `${name}=${value}`))
  const shared = text(pid, 'environ')
    .split('\0')
    .filter((each) => own.has(each) && !given.has(each))
  return shared.map((each) => each.split('=')[0]).join(' ') || 'none'
}

/** Paths of open files outside of what a jail has. */
function openFiles(pid: number): string {
  const paths = readdirSync(`/proc/${String(pid)}/fd`).flatMap(
    (name) => linkOrGone(`/proc/${String(pid)}/fd/${name}`) ?? [],
  )
  const known =
    /^(?:socket:|pipe:|anon_inode:|\/dev\/(?:null|zero|full|u?random)$|\/(?:tmp|fn|usr|runner|proc)(?:\/|$))/
  return paths.filter((path) => !known.test(path)).join(' ') || 'none'
}

/** `null` for a descriptor that has been closed. */
function linkOrGone(path: string): string | null {
  try {
    return readlinkSync(path)
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ENOENT') throw error
    return null
  }
}

const chunkBytes = 4 * 1024 * 1024
/** More than any probe takes; Bun reserves far more and touches little of it. */
const mostBytesOfRegion = 128 * 1024 * 1024

/** Whether a text is in the writable memory of a process. */
function searchMemory(pid: number, wanted: string): string {
  const needle = Buffer.from(wanted)
  const memory = openSync(`/proc/${String(pid)}/mem`, 'r')
  let read = 0
  try {
    for (const line of text(pid, 'smaps').split(/\n(?=[0-9a-f]+-[0-9a-f]+ )/)) {
      const region = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line)
      const residentKilobytes = Number(/^Rss:\s+(\d+)/m.exec(line)?.[1] ?? 0)
      if (region === null || residentKilobytes === 0) continue
      const [from, to] = [BigInt(`0x${region[1] ?? '0'}`), BigInt(`0x${region[2] ?? '0'}`)]
      if (to - from > BigInt(mostBytesOfRegion)) continue
      const found = searchRegion(memory, from, Number(to - from), needle)
      read += found.read
      if (found.there) return 'found'
    }
  } finally {
    closeSync(memory)
  }
  return read > chunkBytes / 4 ? 'not found' : `unreadable: only ${String(read)} bytes`
}

function searchRegion(memory: number, from: bigint, length: number, needle: Buffer): { there: boolean; read: number } {
  const chunk = Buffer.alloc(Math.min(chunkBytes, length))
  let read = 0
  for (let offset = 0; offset < length; offset += chunk.length - Math.min(needle.length, chunk.length - 1)) {
    const want = Math.min(chunk.length, length - offset)
    const got = readSync(memory, chunk, 0, want, from + BigInt(offset))
    read += got
    if (chunk.subarray(0, got).includes(needle)) return { there: true, read }
    if (got < want || offset + want >= length) break
  }
  return { there: false, read }
}

/** Processes of a list that are still there. */
export function stillThere(pids: readonly number[]): number[] {
  return pids.filter(
    (pid) =>
      existsSync(`/proc/${String(pid)}`) && !/^\d+ \(.*\) [ZX]/s.test(readProc(`/proc/${String(pid)}/stat`) ?? ''),
  )
}
