import { accessSync, constants, statSync } from 'node:fs'
import { join } from 'node:path'

/** A program that was found, or why none was. */
export type FoundProgram =
  | { readonly path: string; readonly problem: null }
  | { readonly path: null; readonly problem: string }

const nsjailDirectories = ['/usr/local/bin', '/usr/bin', '/usr/sbin', '/opt/nsjail']
const utilLinuxDirectories = ['/usr/bin', '/bin', '/usr/local/bin']
const setIdBits = 0o6000

/** The configured nsjail, or the first of the usual places. One that is set-user-id is refused: what runs in its jail could be root outside. */
export function findNsjail(configured: string | null): FoundProgram {
  const places = configured === null ? nsjailDirectories.map((directory) => join(directory, 'nsjail')) : [configured]
  const found = firstProgram(places)
  if (found === null) return { path: null, problem: `there is no program ${places.join(', ')}` }
  const { mode } = statSync(found)
  if ((mode & setIdBits) !== 0) return { path: null, problem: `${found} is set-user-id or set-group-id` }
  return { path: found, problem: null }
}

/** setpriv of util-linux. */
export function findSetpriv(): FoundProgram {
  const found = firstProgram(utilLinuxDirectories.map((directory) => join(directory, 'setpriv')))
  return found === null
    ? { path: null, problem: 'there is no setpriv, which ties nsjail to the life of this server' }
    : { path: found, problem: null }
}

/** unshare of util-linux. */
export function findUnshare(): FoundProgram {
  const found = firstProgram(utilLinuxDirectories.map((directory) => join(directory, 'unshare')))
  return found === null ? { path: null, problem: 'there is no unshare (util-linux)' } : { path: found, problem: null }
}

function firstProgram(places: readonly string[]): string | null {
  return places.find(isProgram) ?? null
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
