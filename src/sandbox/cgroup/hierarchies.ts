import { readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** What a controller of the kernel's is asked for here. `cpuacct` is part of `cpu` in version 2. */
export type Controller = 'memory' | 'pids' | 'cpu' | 'cpuacct'

const controllers: readonly Controller[] = ['memory', 'pids', 'cpu', 'cpuacct']

/** The group that a server moves itself into where version 2 does not let it stay above its jails' groups. */
export const serverGroupName = 'mcpworks-server'

/** What an executor's group is called; its server finds it by this name. */
export function subtreeName(executorPid: number): string {
  return `mcpworks-${String(executorPid)}`
}

/** One tree of groups that carries controllers of use here. A machine has one of version 2, or several of version 1, or both. */
export interface Hierarchy {
  readonly version: 1 | 2
  readonly controllers: ReadonlySet<Controller>
  /** The group in which this product may make its own: that of the asking process, or, from `serverGroupName`, its parent. */
  readonly base: string
  readonly isReadOnly: boolean
}

/**
 * Finds the trees of groups with at least one controller of use. Reads `/proc/self`; a tree of which this process sees no
 * part that holds it (a container without its own view of groups) is left out.
 */
export function findHierarchies(): readonly Hierarchy[] {
  return parseHierarchies(
    readFileSync('/proc/self/mountinfo', 'utf8'),
    readFileSync('/proc/self/cgroup', 'utf8'),
    (directory) => readWords(join(directory, 'cgroup.controllers')),
  )
}

/** As `findHierarchies`, from the texts of `mountinfo` and `cgroup` (proc(5), cgroups(7)). */
export function parseHierarchies(
  mountinfo: string,
  ownGroups: string,
  controllersOf: (directory: string) => readonly string[],
): readonly Hierarchy[] {
  const own = parseOwnGroups(ownGroups)
  const found: Hierarchy[] = []
  for (const mount of parseMounts(mountinfo)) {
    const group = mount.version === 2 ? own.get('') : own.get(nameOf(mount.options, own) ?? '-')
    const directory = group === undefined ? null : insideMount(mount, group)
    if (directory === null) continue
    const base = basename(directory) === serverGroupName ? dirname(directory) : directory
    const names = mount.version === 2 ? controllersOf(base) : mount.options
    const useful = new Set(controllers.filter((name) => names.includes(name)))
    const seen = found.some((other) => [...useful].some((name) => other.controllers.has(name)))
    if (useful.size > 0 && !seen)
      found.push({ version: mount.version, controllers: useful, base, isReadOnly: mount.isReadOnly })
  }
  return found
}

/** The words of a small file; none where it cannot be read. */
function readWords(path: string): readonly string[] {
  try {
    return readFileSync(path, 'utf8').split(/\s+/)
    // oxlint-disable-next-line mcpworks/catch-fails-closed -- a controller that is not seen is told as missing
  } catch {
    return []
  }
}

/** Group by list of controllers; version 2 has the empty list. */
function parseOwnGroups(text: string): Map<string, string> {
  const own = new Map<string, string>()
  for (const line of text.split('\n')) {
    const [, names, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? []
    if (names !== undefined && path !== undefined) own.set(names, path)
  }
  return own
}

interface Mount {
  readonly version: 1 | 2
  readonly root: string
  readonly point: string
  readonly options: readonly string[]
  readonly isReadOnly: boolean
}

function parseMounts(text: string): Mount[] {
  const mounts: Mount[] = []
  for (const line of text.split('\n')) {
    const [before = '', after = ''] = line.split(' - ')
    const [, , , root = '', point = '', options = ''] = before.split(' ')
    const [type, , superOptions = ''] = after.split(' ')
    if (type !== 'cgroup' && type !== 'cgroup2') continue
    const all = superOptions.split(',')
    mounts.push({
      version: type === 'cgroup2' ? 2 : 1,
      root: unescape(root),
      point: unescape(point),
      options: all,
      isReadOnly: all.includes('ro') || options.split(',').includes('ro'),
    })
  }
  // Where the same tree is mounted twice, the mount that can be written to is of use.
  return mounts.toSorted((one, other) => Number(one.isReadOnly) - Number(other.isReadOnly))
}

/** The kernel writes white space and backslashes of paths in octal. */
function unescape(path: string): string {
  return path.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCodePoint(Number.parseInt(digits, 8)))
}

/** The list of controllers, as /proc/self/cgroup writes it, of a mount of version 1. */
function nameOf(options: readonly string[], own: ReadonlyMap<string, string>): string | null {
  for (const names of own.keys())
    if (names !== '' && names.split(',').every((name) => options.includes(name))) return names
  return null
}

function insideMount({ root, point }: Mount, group: string): string | null {
  if (group.split('/').includes('..') || root.split('/').includes('..')) return null
  if (group === root) return point
  if (root === '/') return join(point, group)
  return group.startsWith(`${root}/`) ? join(point, group.slice(root.length)) : null
}
