import { readFileSync } from 'node:fs'

/**
 * Adds to binds what is mounted below them on the host, each as a bind of its own: nsjail makes only the upper mount of a
 * bind read-only. Mounts of this process's own namespace, as they are at this moment.
 */
export function withSubmounts(
  binds: readonly (readonly [string, string])[],
  mountInfo = readFileSync('/proc/self/mountinfo', 'utf8'),
): (readonly [string, string])[] {
  const points = mountPoints(mountInfo)
  return binds.flatMap(([source, path]) => {
    const below = points.filter((point) => point.startsWith(`${source}/`))
    return [[source, path] as const, ...below.map((point) => [point, `${path}${point.slice(source.length)}`] as const)]
  })
}

/** The fifth field of each line; white space and backslashes in it are octal escapes (proc(5)). */
function mountPoints(mountInfo: string): string[] {
  const points = mountInfo.split('\n').flatMap((line) => line.split(' ').slice(4, 5))
  const plain = points.map((point) =>
    point.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8))),
  )
  return [...new Set(plain)].toSorted()
}
