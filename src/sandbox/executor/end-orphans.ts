import { readdirSync, readFileSync } from 'node:fs'
import { killIfThere } from '../kill-if-there.ts'

/**
 * Ends what an executor left behind that was killed at a bad moment: bubblewrap 0.8 forks its inner half and only later
 * ties it to its parent's life, so that a kill in between leaves a process that waits for ever. No code was in it.
 * Only bubblewraps of this user that were started by an executor, as their arguments show, and whose parent is no
 * bubblewrap, no launcher and no Node. Other programs that use bubblewrap, and jails of other servers, are left alone.
 */
export function endOrphans(bubblewrapPath: string): void {
  const uid = process.geteuid?.()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue
    const command = read(`/proc/${name}/cmdline`).split('\0')
    if (command[0] !== bubblewrapPath || !command.some((word) => word.startsWith('/runner/main'))) continue
    const status = read(`/proc/${name}/status`)
    const owner = Number(/^Uid:\s+(\d+)/m.exec(status)?.[1])
    const parent = /^PPid:\s+(\d+)/m.exec(status)?.[1]
    if (owner !== uid || parent === undefined || isOurs(parent, bubblewrapPath)) continue
    killIfThere(Number(name))
  }
}

/**
 * Whether a process may have jails for children: a bubblewrap, a launcher, or any Node, as an executor is one. An orphan
 * has the machine's first process for a parent, or another that takes in what is left.
 */
function isOurs(pid: string, bubblewrapPath: string): boolean {
  const [program = '', ...words] = read(`/proc/${pid}/cmdline`).split('\0')
  return (
    program === bubblewrapPath || /(?:^|\/)node$/.test(program) || words.some((word) => word.endsWith('launcher.py'))
  )
}

/** Empty for a process that is gone. */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
    // oxlint-disable-next-line mcpworks/catch-fails-closed -- nothing is decided on an empty text but to leave it alone
  } catch {
    return ''
  }
}
