import { readFileSync } from 'node:fs'

/**
 * Whether a process is there and runs. A zombie has ended: only its parent has not looked yet. So has one without memory:
 * the first process of a process namespace stays, with its memory gone, until all others of it are reaped, and those that
 * were orphaned are the machine's first process's to reap, which does so on some machines late or never.
 */
export function isRunning(pid: number): boolean {
  try {
    const status = readFileSync(`/proc/${String(pid)}/status`, 'latin1')
    return !/^State:\s+[ZX]/m.test(status) && /^VmSize:/m.test(status)
  } catch {
    return false
  }
}
