import { readdirSync, readFileSync } from 'node:fs'

/** Names that the kernel keeps are this long at most. */
export const longestProcessName = 15

/**
 * The process of a name that it gave itself, and that nobody could guess, as this process numbers it. `null` where none
 * is seen: it has ended, or it is a process of another kernel.
 */
export function findProcess(name: string): number | null {
  for (const entry of readdirSync('/proc')) {
    if (/^\d+$/.test(entry) && readProc(`/proc/${entry}/comm`)?.trim() === name) return Number(entry)
  }
  return null
}

/** A file of /proc as text; `null` where the process is gone or it cannot be read. */
export function readProc(path: string): string | null {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return null
  }
}
