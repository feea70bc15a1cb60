import { readdirSync, readFileSync } from 'node:fs'

/** Whether a process is there between jails: a launcher, an outer jail, a zygote or a slot. Its jails have one more namespace. */
function isStanding(pid: string): boolean {
  const command = readFileSync(`/proc/${pid}/cmdline`, 'latin1')
  const depth = /^NSpid:\s+(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]?.split(/\s+/).length ?? 0
  // Of an outer nsjail the arguments name only its configuration.
  return /launcher\.py|zygote\.py|\0--config\0/.test(command) && depth < 3
}

/** Names of the programs that run in jails, or make them, below this process. */
export function jailProcesses(): string[] {
  const children = new Map<number, number[]>()
  const names = new Map<number, string>()
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'latin1')
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      const parent = Number(fields[1])
      children.set(parent, [...(children.get(parent) ?? []), Number(entry)])
      if (!isStanding(entry)) names.set(Number(entry), stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')')))
    } catch {
      // Gone between the listing and the look.
    }
  }
  const below = (pid: number): number[] => (children.get(pid) ?? []).flatMap((child) => [child, ...below(child)])
  return below(process.pid)
    .map((pid) => names.get(pid) ?? '')
    .filter((name) => /bwrap|nsjail|python|bun/.test(name))
}
