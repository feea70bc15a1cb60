import { constants } from 'node:fs'
import { lstat, open, readdir, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { encodeDesiredState } from './decode-desired-state.ts'
import { pathFault } from './desired-path.ts'
import { desiredStateBounds, type DesiredState, type SourceProblem } from './desired-state.ts'
import { fileProblem, sortProblems } from './source-problem.ts'

/** A directory that was read, or everything that kept it from being read. */
export type ReadDirectory =
  | { readonly ok: true; readonly state: DesiredState }
  | { readonly ok: false; readonly problems: readonly SourceProblem[] }

/** Made by tools, not by people; left out without a word. Hidden files are left out too. */
const ignoredNames = new Set(['__pycache__', 'node_modules'])

/**
 * Reads a desired-state directory for `mcpworks apply -f`. Only regular files; a symbolic link is a problem, never
 * followed, so nothing outside the directory can be picked up. The directory itself may be given as a link.
 * Bounded in number and bytes before anything is read. Does not look into the files.
 * Not guarded against someone who changes the directory's own folders while it is read: they could as well write the
 * files.
 */
export async function readDesiredDirectory(directory: string): Promise<ReadDirectory> {
  const problems: SourceProblem[] = []
  const root = await rootOf(directory)
  if (root === null) return { ok: false, problems: [fileProblem(directory, 'there is no such directory')] }
  const paths = await listFiles(root, problems)
  const files = new Map<string, Uint8Array>()
  let totalBytes = 0
  for (const path of paths.toSorted()) {
    const content = await readBounded(join(root, path))
    if (typeof content === 'string') {
      problems.push(fileProblem(path, content))
      continue
    }
    totalBytes += content.length
    if (totalBytes > desiredStateBounds.totalBytes) {
      problems.push(fileProblem('.', `the files are over ${desiredStateBounds.totalBytes} bytes together`))
      break
    }
    files.set(path, content)
  }
  return problems.length > 0
    ? { ok: false, problems: sortProblems(problems) }
    : { ok: true, state: encodeDesiredState(files) }
}

async function rootOf(directory: string): Promise<string | null> {
  try {
    const root = await realpath(directory)
    return (await lstat(root)).isDirectory() ? root : null
  } catch {
    return null
  }
}

async function listFiles(root: string, problems: SourceProblem[]): Promise<string[]> {
  const files: string[] = []
  const folders = ['']
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const entry of await readdir(join(root, folder), { withFileTypes: true })) {
      if (entry.name.startsWith('.') || ignoredNames.has(entry.name)) continue
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      const fault = pathFault(path)
      if (fault !== null) problems.push(fileProblem(path, fault))
      else if (entry.isSymbolicLink())
        problems.push(fileProblem(path, 'symbolic links are not followed', 'put the file itself here'))
      else if (entry.isDirectory()) folders.push(path)
      else if (entry.isFile()) files.push(path)
      else problems.push(fileProblem(path, 'only regular files can be applied'))
      if (files.length + folders.length > desiredStateBounds.files) {
        problems.push(fileProblem('.', `there are more than ${desiredStateBounds.files} files and folders`))
        return files
      }
    }
  }
  return files
}

/** The bytes, or what is wrong. */
async function readBounded(path: string): Promise<Uint8Array | string> {
  let handle
  try {
    // O_NOFOLLOW and O_NONBLOCK: the file may have become a link or a pipe since it was listed.
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    return `the file cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`
  }
  try {
    const { size } = await handle.stat()
    if (size > desiredStateBounds.fileBytes)
      return `the file is ${size} bytes; at most ${desiredStateBounds.fileBytes} are taken`
    const buffer = Buffer.alloc(size + 1)
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0)
    return bytesRead > size ? 'the file grew while it was read' : buffer.subarray(0, bytesRead)
  } finally {
    await handle.close()
  }
}
