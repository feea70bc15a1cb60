/** Kills a process, unless it has ended by itself. @throws what the system says to anything else, such as EPERM */
export function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
    // oxlint-disable-next-line mcpworks/catch-fails-closed -- a process that is gone is what was wanted
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
