import { constants } from 'node:fs'
import { lstat, open, rename, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Why a file is not written to, in words for operators. */
export class FileRefusal extends Error {
  override readonly name = 'FileRefusal'
}

const pieceBytes = 1024 * 1024
/** Nothing that is written here has lines so long that this many bytes would not hold one. */
const mostTailBytes = 64 * pieceBytes

/**
 * Opens a file to add to it and to read its end, made if it is not there; a directory is not made, because where a disk
 * is not mounted its place must not be written to. Links are not followed, and nothing but a file is taken.
 * @throws FileRefusal; the system's errors
 */
export async function openForLines(path: string): Promise<FileHandle>
/** The same for one that is only read, `null` where there is none. */
export async function openForLines(path: string, which: 'existing'): Promise<FileHandle | null>
export async function openForLines(path: string, which?: 'existing'): Promise<FileHandle | null> {
  const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDWR, O_RDONLY } = constants
  const access = which === 'existing' ? O_RDONLY : O_RDWR | O_APPEND | O_CREAT
  const file = await open(path, access | O_NOFOLLOW | O_NONBLOCK, 0o640).catch((error: unknown) => {
    if (which === 'existing' && codeOf(error) === 'ENOENT') return null
    throw error
  })
  if (file === null) return null
  const found = await file.stat()
  if (found.isFile()) return file
  await file.close()
  throw new FileRefusal('it is not a file')
}

/** How a file ends. */
export interface FileTail {
  /** The last whole lines, at least `wanted` where there are so many, in their order. */
  readonly lines: readonly string[]
  /** What stands behind the last line break. */
  readonly cut: string
  /** Length up to it. */
  readonly wholeBytes: number
}

/** Reads the end of a file. @throws FileRefusal where there is no line break for longer than any line is */
export async function readableTail(file: FileHandle, size: number, wanted: number): Promise<FileTail> {
  let from = size
  let bytes: Uint8Array = new Uint8Array()
  let lines = 0
  while (from > 0 && lines <= wanted && bytes.length < mostTailBytes) {
    const start = Math.max(0, from - pieceBytes)
    const piece = Buffer.alloc(from - start)
    const { bytesRead } = await file.read(piece, 0, piece.length, start)
    if (bytesRead !== piece.length) throw new FileRefusal('it is being made shorter by somebody else')
    bytes = Buffer.concat([piece, bytes])
    lines += lineBreaks(piece)
    from = start
  }
  const last = bytes.lastIndexOf(newline)
  if (last === -1 && from > 0) throw new FileRefusal('it holds what was not written here')
  // The first line may begin before what was read.
  const first = from === 0 ? 0 : bytes.indexOf(newline) + 1
  const whole = Buffer.from(bytes.subarray(first, last + 1)).toString('utf8')
  return {
    lines: whole.split('\n').slice(0, -1),
    cut: Buffer.from(bytes.subarray(last + 1)).toString('utf8'),
    wholeBytes: from + last + 1,
  }
}

const newline = 0x0a

function lineBreaks(bytes: Uint8Array): number {
  let count = 0
  for (let at = bytes.indexOf(newline); at !== -1; at = bytes.indexOf(newline, at + 1)) count += 1
  return count
}

/**
 * Gives a full file the name `PATH.1`, and each of those before it the next number; of `files` the oldest is deleted.
 * Stopped in the middle it leaves a number without a file, and nothing is deleted for as long as there is one.
 */
export async function rotate(path: string, files: number): Promise<void> {
  let free = 1
  while (free < files && (await isThere(`${path}.${free}`))) free += 1
  for (let number = free; number > 1; number -= 1) await rename(`${path}.${number - 1}`, `${path}.${number}`)
  await rename(path, `${path}.1`)
  await syncDirectoryOf(path)
}

async function isThere(path: string): Promise<boolean> {
  return await lstat(path).then(
    () => true,
    (error: unknown) => {
      if (codeOf(error) === 'ENOENT') return false
      throw error
    },
  )
}

/** Has the names in a file's directory on the disk. */
export async function syncDirectoryOf(path: string): Promise<void> {
  const directory = await open(dirname(path), 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

const sentences: Readonly<Record<string, string>> = {
  ENOSPC: 'there is no room on the disk (ENOSPC)',
  EDQUOT: 'there is no room left in the quota (EDQUOT)',
  EROFS: 'the file system is read-only (EROFS)',
  ENOENT: 'its directory is not there (ENOENT)',
  EACCES: 'it may not be written by this user (EACCES)',
  EPERM: 'it may not be written by this user (EPERM)',
  ELOOP: 'it is a link (ELOOP)',
}

/** Why writing failed, in a few words. */
export function refusalOf(error: unknown): string {
  if (error instanceof FileRefusal) return error.message
  const code = codeOf(error) ?? 'unknown'
  return sentences[code] ?? `it cannot be written (${code})`
}

/** The system's name of an error: `ENOSPC`. */
function codeOf(error: unknown): string | null {
  return error instanceof Error && 'code' in error ? String(error.code) : null
}
