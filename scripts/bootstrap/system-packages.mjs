import { accessSync, constants, existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { progress, run, Stop } from './progress.mjs'

/** Programs of the distribution, and the Debian package of each; and what is no program, by the file that tells of it. */
const packages = {
  bwrap: 'bubblewrap',
  python3: 'python3',
  strace: 'strace',
  pandas: 'python3-pandas',
  crun: 'crun',
  runc: 'runc',
  runsc: 'runsc',
  chromium: 'chromium',
  go: 'golang-go',
  sumdb: 'golang-golang-x-mod-dev',
  postgres: 'postgresql',
}
const files = {
  pandas: '/usr/lib/python3/dist-packages/pandas/__init__.py',
  go: '/usr/bin/go',
  sumdb: '/usr/share/gocode/src/golang.org/x/mod/sumdb/tlog/tlog.go',
}

/** Where distributions put programs. Shims elsewhere on PATH do not count: a sandbox sees the system's own only. */
const programDirectories = ['/usr/bin', '/bin', '/usr/local/bin', '/usr/sbin', '/sbin']

/**
 * Installs what the distribution has to bring and does not have yet.
 *
 * @param {ReadonlyArray<keyof typeof packages>} programs
 * @throws {Stop} with the exact command to type, when the packages cannot be installed from here
 */
export async function ensureSystemPackages(programs) {
  const missing = programs.filter((program) => !isThere(program)).map((program) => packages[program])
  if (missing.length === 0) return
  const install = ['apt-get', 'install', '--yes', '--no-install-recommends', ...missing]
  if (findProgram('apt-get') === null) {
    throw new Stop(
      `Install ${missing.join(' and ')} with this system's package manager, then type the same command again.`,
    )
  }
  const prefix = await becomeRoot()
  if (prefix === null) {
    throw new Stop(
      `${missing.join(' and ')} must be installed, and only an administrator may. Type:\n\n  sudo apt-get update && sudo ${install.join(' ')}\n\nthen type the same command again.`,
    )
  }
  await progress(`Installing ${missing.join(', ')} (apt-get)`, async () => {
    if (!hasPackageLists()) await run(...command(prefix, ['apt-get', 'update']))
    let result = await run(...command(prefix, install))
    if (!result.ok) {
      await run(...command(prefix, ['apt-get', 'update']))
      result = await run(...command(prefix, install))
    }
    const stillMissing = programs.filter((program) => !isThere(program))
    if (!result.ok || stillMissing.length > 0) {
      throw new Stop(`apt-get could not install ${missing.join(' and ')}. It said:\n${result.output.trim()}`)
    }
  })
}

function isThere(program) {
  if (program === 'postgres') return findPostgres() !== null
  return Object.hasOwn(files, program) ? existsSync(files[program]) : findProgram(program) !== null
}

/**
 * The path of a program of the distribution, or null.
 *
 * @param {string} name
 */
export function findProgram(name) {
  for (const directory of programDirectories) {
    const path = join(directory, name)
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {
      // Not in this directory.
    }
  }
  return null
}

/** The directory of the newest PostgreSQL's programs, or null. Distributions keep those of a server off PATH. */
export function findPostgres() {
  const versions = '/usr/lib/postgresql'
  if (!existsSync(versions)) return null
  const newestFirst = readdirSync(versions).toSorted((one, other) => Number(other) - Number(one))
  const programs = newestFirst.map((version) => join(versions, version, 'bin'))
  return programs.find((directory) => existsSync(join(directory, 'postgres'))) ?? null
}

/** The words to put before a command so that it runs as root, or null when this user cannot without a password. */
async function becomeRoot() {
  if (process.getuid() === 0) return []
  const sudo = findProgram('sudo')
  if (sudo === null) return null
  return (await run(sudo, ['-n', 'true'])).ok ? [sudo, '-n'] : null
}

function command(prefix, words) {
  const [file, ...args] = [...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', ...words]
  return [file, args]
}

function hasPackageLists() {
  try {
    return readdirSync('/var/lib/apt/lists').some((name) => name.includes('_Packages'))
  } catch {
    return false
  }
}
