import { accessSync, constants } from 'node:fs'

/** Where programs of the system are. PATH is not asked, because what is found is trusted with every jail. */
const programDirectories = ['/usr/local/bin', '/usr/bin', '/usr/sbin', '/bin', '/sbin']

/** Programs of util-linux and coreutils that a cell is made with: their paths. */
export interface CellTools {
  readonly setpriv: string
  readonly unshare: string
  readonly nsenter: string
  readonly mount: string
  readonly cat: string
}

/** The tools, or the name of one that is not there. */
export type FoundTools =
  | { readonly tools: CellTools; readonly missing: null }
  | { readonly tools: null; readonly missing: string }

/** Finds what a cell is made with. */
export function findCellTools(): FoundTools {
  const [setpriv, unshare, nsenter, mount, cat] = ['setpriv', 'unshare', 'nsenter', 'mount', 'cat'].map(findProgram)
  if (setpriv == null) return { tools: null, missing: 'setpriv' }
  if (unshare == null) return { tools: null, missing: 'unshare' }
  if (nsenter == null) return { tools: null, missing: 'nsenter' }
  if (mount == null) return { tools: null, missing: 'mount' }
  if (cat == null) return { tools: null, missing: 'cat' }
  return { tools: { setpriv, unshare, nsenter, mount, cat }, missing: null }
}

/** The path of a program of the system, or `null`. */
export function findProgram(name: string): string | null {
  return programDirectories.map((directory) => `${directory}/${name}`).find(isProgram) ?? null
}

/** Whether there is a program that this user may run. */
export function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
