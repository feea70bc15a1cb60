import { lstat, readdir, readlink } from 'node:fs/promises'
import { packagesBinds } from './packages-binds.ts'
import { runTool } from '../executor/run-tool.ts'
import { jailProfile } from '../profile/jail-profile.ts'

/** What a jail shows of the host, read-only, so that one runtime can run in it. */
export interface RuntimeLayout {
  /** Host path and path in the jail. */
  readonly binds: readonly (readonly [string, string])[]
  /** Target and path of symbolic links in the jail's root. */
  readonly links: readonly (readonly [string, string])[]
  /** The runtime with the runner as its argument, as paths in the jail. */
  readonly command: readonly string[]
  /** What the process becomes once it is bound, where `command` is the one that binds it. */
  readonly sealedCommand?: readonly string[]
  /** A procfs where the runtime cannot start without one, and what of it is covered: files, and directories with a final slash. */
  readonly procfs: { readonly covered: readonly string[] } | null
}

/** Where the runner is in every jail. */
const runnerDirectory = jailProfile.runner

/** Without it `zoneinfo`, which is of the standard library, knows no zone. */
const timeZoneDirectory = '/usr/share/zoneinfo'

/**
 * Finds what Python needs by asking it: its program, its standard library, the system's shared libraries and time
 * zones.
 * Packages installed beside the standard library are left out; those of `packagesDirectory` are bound where the runner
 * looks for them.
 * @throws Error where the program does not run or is older than 3.9, or the packages cannot be read
 */
export async function pythonLayout(
  pythonPath: string,
  runnerPath: string,
  packagesDirectory: string | null,
): Promise<RuntimeLayout> {
  const question =
    'import json,os,sys;print(json.dumps([os.path.realpath(sys.executable),list(sys.version_info[:2]),sys.path]))'
  const [program, version, path] = pythonAnswer(pythonPath, await runTool(pythonPath, ['-I', '-S', '-c', question]))
  if (version[0] !== 3 || version[1] < 9)
    throw new Error(`${pythonPath} is Python ${version.join('.')}; 3.9 or later is needed`)
  const libraries = await libraryBinds()
  const standardLibrary: string[] = []
  for (const directory of path) if (await isDirectory(directory)) standardLibrary.push(directory)
  const timeZones = (await isDirectory(timeZoneDirectory)) ? [timeZoneDirectory] : []
  const directories = outermost([...libraries.directories, ...standardLibrary, ...timeZones])
  return {
    binds: [
      ...[...directories, program].map((each) => [each, each] as const),
      [runnerPath, `${runnerDirectory}/main.py`],
      ...(packagesDirectory === null ? [] : await packagesBinds(packagesDirectory, libraries.directories)),
    ],
    links: libraries.links,
    command: [program, '-I', '-S', '-E', '-B', `${runnerDirectory}/main.py`],
    procfs: null,
  }
}

function pythonAnswer(pythonPath: string, text: string): [string, [number, number], string[]] {
  try {
    return JSON.parse(text) as [string, [number, number], string[]]
  } catch (cause) {
    throw new Error(`${pythonPath} is no Python; set sandbox.pythonPath`, { cause })
  }
}

/** What Bun needs: its program and the system's C library. */
export async function bunLayout(bunPath: string, runnerPath: string): Promise<RuntimeLayout> {
  const libraries = await libraryBinds()
  const runner = `${runnerDirectory}/main${runnerPath.endsWith('.ts') ? '.ts' : '.js'}`
  return {
    binds: [
      ...outermost(libraries.directories).map((each) => [each, each] as const),
      [bunPath, '/usr/bin/bun'],
      [runnerPath, runner],
    ],
    links: libraries.links,
    command: ['/usr/bin/bun', 'run', '--no-install', runner],
    // Its engine asks the C library for the bounds of the main stack, and that reads /proc/self/maps.
    procfs: { covered: await coveredProcPaths() },
  }
}

/**
 * What Node needs: its program and the system's shared libraries. It starts without a procfs.
 * Its runner cannot bind itself, so that whoever starts it has to have bound the process, and says so to it.
 */
export async function nodeLayout(nodePath: string, runnerPath: string): Promise<RuntimeLayout> {
  const libraries = await libraryBinds()
  const runner = `${runnerDirectory}/main${runnerPath.endsWith('.ts') ? '.ts' : '.js'}`
  return {
    binds: [
      ...outermost(libraries.directories).map((each) => [each, each] as const),
      [nodePath, '/usr/bin/node'],
      [runnerPath, runner],
    ],
    links: libraries.links,
    // Enums and the like are TypeScript as well, and Bun takes them.
    command: ['/usr/bin/node', '--experimental-transform-types', '--disable-warning=ExperimentalWarning', runner],
    procfs: null,
  }
}

/** The directories of shared libraries: the multiarch directory alone where there is one, else all of /usr/lib. */
async function libraryBinds(): Promise<{ directories: string[]; links: [string, string][] }> {
  const directories: string[] = []
  const links: [string, string][] = []
  const multiarch = (await readdir('/usr/lib')).filter((name) => /^(?:x86_64|aarch64)-linux-gnu$/.test(name))
  if (multiarch.length === 0) directories.push('/usr/lib')
  for (const name of multiarch) directories.push(`/usr/lib/${name}`)
  for (const path of ['/usr/lib64', '/lib', '/lib64']) {
    const link = await linkTarget(path)
    if (link !== null) links.push([link, path])
    else if (await isDirectory(path)) directories.push(path)
  }
  return { directories, links }
}

async function coveredProcPaths(): Promise<string[]> {
  const there = new Set(await readdir('/proc'))
  const covered = jailProfile.procfs.typescript?.covered ?? []
  return covered.filter((name) => there.has(name.replace('/', ''))).map((name) => `/proc/${name}`)
}

async function linkTarget(path: string): Promise<string | null> {
  try {
    return await readlink(path)
  } catch {
    return null
  }
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isDirectory()
  } catch {
    return false
  }
}

/** Drops what lies inside another entry: each bind costs time in every jail. */
function outermost(paths: readonly string[]): string[] {
  const unique = [...new Set(paths)]
  return unique.filter((path) => !unique.some((other) => other !== path && path.startsWith(`${other}/`)))
}

/** What a runtime needs that cannot bind itself: Python binds the process, which then becomes that runtime. */
export function sealingLayout(python: RuntimeLayout, runtime: RuntimeLayout, zygotePath: string): RuntimeLayout {
  const { workingDirectory, environment, runner } = jailProfile
  const plan = {
    runner: `${runner}/main.py`,
    command: [...runtime.command, '--sealed'],
    environment: { ...environment, PWD: workingDirectory },
  }
  const both = zygoteLayout(python, runtime, zygotePath)
  return { ...both, command: [...both.command, '--seal', JSON.stringify(plan)], sealedCommand: runtime.command }
}

/** What an outer jail of a zygote needs: what Python and the runtime need, and the zygote as its command. */
export function zygoteLayout(python: RuntimeLayout, runtime: RuntimeLayout, zygotePath: string): RuntimeLayout {
  const binds = new Map([...python.binds, ...runtime.binds].map(([host, inside]) => [inside, host]))
  const links = new Map([...python.links, ...runtime.links].map(([target, path]) => [path, target]))
  const inside = outermost([...binds.keys()])
  const zygote = `${runnerDirectory}/zygote.py`
  return {
    binds: [...inside.map((path) => [binds.get(path) ?? path, path] as const), [zygotePath, zygote]],
    links: [...links].map(([path, target]) => [target, path] as const),
    command: [...python.command.slice(0, -1), zygote],
    procfs: runtime.procfs,
  }
}
