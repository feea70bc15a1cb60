import { pathFault } from './desired-path.ts'
import { desiredStateBounds, type DesiredFile, type DesiredState, type SourceProblem } from './desired-state.ts'
import { fileProblem, sortProblems } from './source-problem.ts'

/** The files of a desired state by path, or everything that is wrong with them. */
export type DecodedFiles =
  | { readonly ok: true; readonly files: ReadonlyMap<string, Uint8Array> }
  | { readonly ok: false; readonly problems: readonly SourceProblem[] }

/**
 * Checks the shape, number, size and paths of a desired state that came from outside, and decodes the contents.
 * Takes any value: nothing about it is assumed. Does not look into the files.
 */
export function decodeDesiredState(value: unknown): DecodedFiles {
  const list = (value as Partial<DesiredState> | null | undefined)?.files
  if (!Array.isArray(list)) return failed([fileProblem('.', 'a desired state is an object with a list "files"')])
  if (list.length > desiredStateBounds.files) {
    return failed([
      fileProblem('.', `there are ${list.length} files; at most ${desiredStateBounds.files} can be applied`),
    ])
  }
  const files = new Map<string, Uint8Array>()
  const problems: SourceProblem[] = []
  for (const [index, entry] of list.entries()) {
    const decoded = decodeFile(entry, index)
    if ('problem' in decoded) {
      problems.push(decoded.problem)
      continue
    }
    if (files.has(decoded.path)) problems.push(fileProblem(printable(decoded.path), 'the file is given twice'))
    files.set(decoded.path, decoded.bytes)
  }
  problems.push(...checkFiles(files))
  return problems.length > 0 ? failed(problems) : { ok: true, files }
}

/** What is wrong with a set of files: their number, sizes and paths. Paths in the problems are as given. */
export function checkFiles(files: ReadonlyMap<string, Uint8Array>): SourceProblem[] {
  const { files: maximum, fileBytes, totalBytes } = desiredStateBounds
  if (files.size > maximum)
    return [fileProblem('.', `there are ${files.size} files; at most ${maximum} can be applied`)]
  const problems: SourceProblem[] = []
  let total = 0
  for (const [path, bytes] of files) {
    total += bytes.length
    const fault = pathFault(path)
    if (fault !== null) problems.push(fileProblem(printable(path), fault))
    else if (parents(path).some((parent) => files.has(parent)))
      problems.push(fileProblem(path, 'one of its folders is given as a file too'))
    if (bytes.length > fileBytes)
      problems.push(fileProblem(printable(path), `the file is ${bytes.length} bytes; at most ${fileBytes} are taken`))
  }
  if (total > totalBytes)
    problems.push(fileProblem('.', `the files are ${total} bytes together; at most ${totalBytes} can be applied`))
  return problems
}

/** The wire form of files: text where the bytes are UTF-8, base64 where they are not. */
export function encodeDesiredState(files: ReadonlyMap<string, Uint8Array>): DesiredState {
  return { files: Array.from(files, ([path, bytes]) => encodeFile(path, bytes)) }
}

/** The text of UTF-8 bytes without a byte order mark, or null where they are not UTF-8 or hold a NUL. */
export function decodeText(bytes: Uint8Array): string | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return text.includes('\0') ? null : text
  } catch {
    return null
  }
}

function encodeFile(path: string, bytes: Uint8Array): DesiredFile {
  // A byte order mark would be lost in decoding, and the file would not be the same file any more.
  const marked = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf
  const text = marked ? null : decodeText(bytes)
  return text === null ? { path, base64: Buffer.from(bytes).toString('base64') } : { path, text }
}

function decodeFile(entry: unknown, index: number): { path: string; bytes: Uint8Array } | { problem: SourceProblem } {
  const { path, text, base64, ...others } = Object(entry) as Record<string, unknown>
  if (typeof path !== 'string') return { problem: fileProblem('.', `files[${index}] has no "path"`) }
  if (Object.keys(others).length > 0) {
    return {
      problem: fileProblem(
        printable(path),
        `unknown member ${JSON.stringify(printable(Object.keys(others)[0] ?? ''))}; a file has "path" and "text" or "base64"`,
      ),
    }
  }
  const bytes = decodeContent(text, base64)
  if (bytes === null)
    return { problem: fileProblem(printable(path), 'give the content once, as "text" or as padded "base64"') }
  return { path, bytes }
}

function decodeContent(text: unknown, base64: unknown): Uint8Array | null {
  if (typeof text === 'string' && base64 === undefined) return text.isWellFormed() ? Buffer.from(text, 'utf8') : null
  if (typeof base64 !== 'string' || text !== undefined) return null
  const bytes = Buffer.from(base64, 'base64')
  // Buffer skips what is not base64; only a string that comes back the same was meant as it is read.
  return bytes.toString('base64') === base64 ? bytes : null
}

function parents(path: string): string[] {
  const segments = path.split('/')
  return segments.slice(1).map((_, index) => segments.slice(0, index + 1).join('/'))
}

function printable(text: string): string {
  return text.slice(0, 100).replace(/[^\x20-\x7e]/g, '?')
}

function failed(problems: readonly SourceProblem[]): DecodedFiles {
  return { ok: false, problems: sortProblems(problems) }
}
