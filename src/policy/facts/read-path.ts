import { hidesText } from './extractor.ts'

/** A path of a file in the one form in which policies compare it. */
export interface ReadPath {
  /** Without `.` and empty segments and without a slash at its end; `/` or `.` where there is no segment. */
  readonly path: string
  readonly absolute: boolean
  readonly segments: readonly string[]
}

const bytesLimit = 4_096
const segmentLimit = 32

/** Characters beside "/" and "\" that look like them, and that some systems turn into them. */
const slashes = /[\u2044\u2215\u2216\u29F5\u29F8\u29F9]/u

/**
 * Reads a path of POSIX systems, or says what is wrong with it. Refused is whatever could lead elsewhere than it says,
 * on any system or for a reader that decodes or expands: `..`, backslashes, colons (drives, streams, schemes), two
 * slashes in front, percent-encoding, `~` in front of a segment, `$`, wildcards and braces, segments that end in a dot
 * or a space, control and invisible characters, and text that Unicode normalization changes (dots and slashes in
 * disguise). Links on the file system are not followed: a link can lead anywhere.
 */
export function readPath(text: string): ReadPath | string {
  if (text === '') return 'is an empty path'
  if (Buffer.byteLength(text, 'utf8') > bytesLimit) return `is longer than ${bytesLimit} bytes`
  if (hidesText(text)) return 'holds a line break, or an invisible or control character'
  if (text.includes('\\')) return 'holds a backslash, which some systems take for a slash'
  if (slashes.test(text) || text.normalize('NFKC') !== text)
    return 'holds characters that some systems turn into others'
  if (text.includes(':')) return 'holds a colon: a drive, a stream or a scheme'
  if (/%[0-9A-Fa-f]{2}/u.test(text)) return 'holds percent-encoding'
  if (/[$*?{}`]/u.test(text)) return 'holds characters that some readers expand'
  if (text.startsWith('//')) return 'begins with two slashes'
  const segments = text.split('/').filter((segment) => segment !== '' && segment !== '.')
  if (segments.includes('..')) return 'holds ".."'
  if (segments.length > segmentLimit) return `has more than ${segmentLimit} segments`
  for (const segment of segments) {
    if (/[. ]$/u.test(segment) || segment.startsWith(' '))
      return 'holds a segment with a space at an end, or a dot at its end'
    if (segment.startsWith('~')) return 'holds "~" in front of a segment'
    if (Buffer.byteLength(segment, 'utf8') > 255) return 'holds a segment that is too long'
  }
  const absolute = text.startsWith('/')
  const path = `${absolute ? '/' : ''}${segments.join('/')}`
  return { path: path === '' ? '.' : path, absolute, segments }
}

/** The path and every folder above it, `/` included. */
export function ancestorsOf({ absolute, segments, path }: ReadPath): string[] {
  const found = absolute ? ['/'] : []
  for (let length = 1; length <= segments.length; length += 1)
    found.push(`${absolute ? '/' : ''}${segments.slice(0, length).join('/')}`)
  return found.length === 0 ? [path] : found
}
