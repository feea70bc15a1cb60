import { closeSync, readdirSync, readFileSync } from 'node:fs'

const closeOnExec = 0o2000000

/**
 * Closes every descriptor above `last` that this process inherited. Node marks its own close-on-exec; one that is not
 * marked came from whoever started the server, and every jail would inherit it in turn.
 * Reads /proc/self; to be called before anything else is opened or started.
 */
export function closeInherited(last: number): void {
  for (const name of readdirSync('/proc/self/fd')) {
    const descriptor = Number(name)
    if (descriptor > last && isInherited(descriptor)) closeSync(descriptor)
  }
}

function isInherited(descriptor: number): boolean {
  let text: string
  try {
    text = readFileSync(`/proc/self/fdinfo/${String(descriptor)}`, 'latin1')
  } catch {
    // The descriptor of the directory listing itself, which is closed by now.
    return false
  }
  const flags = /^flags:\s+([0-7]+)/m.exec(text)?.[1]
  if (flags === undefined) throw new Error(`the flags of descriptor ${String(descriptor)} cannot be read`)
  return (Number.parseInt(flags, 8) & closeOnExec) === 0
}
