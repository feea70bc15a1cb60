import { writeFileSync } from 'node:fs'

const first = 1000

/**
 * Has the kernel end this process, and what it starts, before any other where the machine runs out of memory. Best effort:
 * the value is only a wish, a process that is gone needs none, and one of another user cannot be changed.
 */
export function preferForOomKill(pid: number): boolean {
  try {
    writeFileSync(`/proc/${String(pid)}/oom_score_adj`, String(first))
    return true
  } catch {
    return false
  }
}
