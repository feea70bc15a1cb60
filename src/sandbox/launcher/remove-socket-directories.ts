import { lstatSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'

/** The temporary directory of a process with an empty environment, as executors have. */
const parent = '/tmp'

/**
 * For the server, when its executor is gone and could not do it itself: removes the directory of the socket that its
 * launcher connects to. Only one of that user's, and nothing in it but the socket: whoever calls this may be root.
 */
export function removeSocketDirectories(executorPid: number, owner: number | undefined): void {
  for (const name of readdirSync(parent)) {
    if (!name.startsWith(`mcpworks-${String(executorPid)}-`)) continue
    const path = join(parent, name)
    try {
      const found = lstatSync(path)
      if (!found.isDirectory() || found.uid !== owner) continue
      for (const each of readdirSync(path)) if (each === 'executor') unlinkSync(join(path, each))
      rmdirSync(path)
      // oxlint-disable-next-line mcpworks/catch-fails-closed -- what is left holds nothing, and the next executor removes it
    } catch {
      continue
    }
  }
}
