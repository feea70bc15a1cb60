/** An entry of package-lock.json, as far as it is looked at here. */
interface Entry {
  version?: string
  integrity?: string
  dev?: boolean
  optional?: boolean
  os?: string[]
  cpu?: string[]
  libc?: string[]
  optionalDependencies?: Record<string, string>
}

/** package-lock.json, as far as it is looked at here. */
export interface LockFile {
  packages: Record<string, Entry>
}

/** An optional package that one entry names and that has no entry of its own. */
interface Hole {
  readonly owner: Entry
  readonly name: string
  readonly version: string
}

/**
 * What is wrong with a lock file: an optional package without an entry, which makes `npm ci` refuse the whole file;
 * or a package of a platform that the product runs on whose bytes are not pinned.
 *
 * Packages of other platforms may lack a digest: they are never installed.
 */
export function lockFileProblems(lock: LockFile): readonly string[] {
  const holes = findHoles(lock).map(({ name }) => `${name}: named as optional, but not in the lock file`)
  const unpinned = Object.entries(lock.packages)
    .filter(([path, entry]) => path !== '' && entry.integrity === undefined && runsHere(entry))
    .map(([path]) => `${path}: no digest`)
  return [...holes, ...unpinned]
}

/**
 * Adds the missing entries in place. npm leaves them out when its registry (a mirror, say) does not carry the
 * packages of platforms that nobody asked for.
 *
 * @returns the names that were added
 * @throws {TypeError} when a name does not say its platform, or is of a platform that the product runs on
 */
export function completeLockFile(lock: LockFile): readonly string[] {
  const holes = findHoles(lock)
  for (const { owner, name, version } of holes) {
    const entry: Entry = { version, ...platformOf(name), optional: true, ...(owner.dev === true ? { dev: true } : {}) }
    if (runsHere(entry)) throw new TypeError(`${name} is needed here, and the registry does not have it`)
    lock.packages[`node_modules/${name}`] = entry
  }
  const sorted = Object.entries(lock.packages).toSorted(([one], [other]) => one.localeCompare(other, 'en'))
  lock.packages = Object.fromEntries(sorted)
  return holes.map(({ name }) => name)
}

function findHoles(lock: LockFile): readonly Hole[] {
  return Object.entries(lock.packages).flatMap(([path, owner]) =>
    Object.entries(owner.optionalDependencies ?? {})
      .filter(([name]) => !isFound(lock, path, name))
      .map(([name, version]) => ({ owner, name, version })),
  )
}

/** Node's lookup: in the package's own node_modules, then in each one above. */
function isFound(lock: LockFile, path: string, name: string): boolean {
  const owners = path === '' ? [] : `/${path}`.split('/node_modules/').slice(1)
  return Array.from({ length: owners.length + 1 }, (_, depth) => [...owners.slice(0, depth), name]).some((names) =>
    Object.hasOwn(lock.packages, names.map((part) => `node_modules/${part}`).join('/')),
  )
}

function platformOf(name: string): Pick<Entry, 'os' | 'cpu' | 'libc'> {
  const words = name.split(/[-/]/)
  const os = words.find((word) =>
    /^(?:aix|android|darwin|freebsd|linux|openharmony|sunos|win32|netbsd|openbsd)$/.test(word),
  )
  const cpu = words.find((word) => /^(?:arm|arm64|ia32|loong64|mips64el|ppc64|riscv64|s390x|x64)$/.test(word))
  if (os === undefined || cpu === undefined) throw new TypeError(`${name} does not say its platform`)
  const libc = words.some((word) => word.startsWith('musl')) ? 'musl' : 'glibc'
  return { os: [os], cpu: [cpu], ...(os === 'linux' ? { libc: [libc] } : {}) }
}

function runsHere({ os = ['linux'], cpu = ['x64'], libc = ['glibc'] }: Entry): boolean {
  return os.includes('linux') && (cpu.includes('x64') || cpu.includes('arm64')) && libc.includes('glibc')
}
