import { desiredStateBounds } from './desired-state.ts'

const segmentPattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/

/**
 * Why a path cannot stand in a desired-state directory, or null where it can.
 * Segments are plain ASCII names, so there is no `..`, no absolute path, no hidden file, no control character, and
 * no two spellings of one name.
 */
export function pathFault(path: string): string | null {
  if (path.length > desiredStateBounds.pathLength)
    return `the path is longer than ${desiredStateBounds.pathLength} characters`
  const segments = path.split('/')
  if (segments.length > desiredStateBounds.pathDepth)
    return `the path is deeper than ${desiredStateBounds.pathDepth} folders`
  for (const segment of segments) {
    if (segment === '..' || segment === '.') return 'a path must stay inside the directory'
    if (!segmentPattern.test(segment))
      return 'file names are letters, digits, "_", "-" and ".", and do not start with "-" or "."'
  }
  return null
}
