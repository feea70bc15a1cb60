import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { link, mkdir, open, rename, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { PublishFailure, type PublishTarget } from '../audit/index.ts'

/**
 * Files in a directory that one server writes. What is written has come to the disk, under its name, when a call
 * resolves; a reader sees a file whole or not at all. Links are not followed for what is read.
 */
export function openDirectoryTarget(directory: string): PublishTarget {
  return {
    name: 'directory',
    read: (path, maxBytes) => failing(() => readPlain(join(directory, path), maxBytes)),
    create: (path, bytes) =>
      failing(async () => {
        const at = join(directory, path)
        return withDraft(at, bytes, async (draft) => {
          // Unlike a rename, a link does not take the place of what is there.
          const isNew = await link(draft, at).then(
            () => true,
            (error: unknown) => {
              if (codeOf(error) === 'EEXIST') return false
              throw error
            },
          )
          return isNew ? 'created' : 'there'
        })
      }),
    replace: (path, bytes, _mediaType, version) =>
      failing(async () => {
        const at = join(directory, path)
        return withDraft(at, bytes, async (draft) => {
          const there = await readPlain(at, maxReplacedBytes)
          if ((there?.version ?? null) !== version) return 'changed'
          await rename(draft, at)
          return 'replaced'
        })
      }),
  }
}

const maxReplacedBytes = 1024 * 1024

async function readPlain(path: string, maxBytes: number) {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
  const file = await open(path, flags).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return null
    throw error
  })
  if (file === null) return null
  try {
    const found = await file.stat()
    if (!found.isFile() || found.size > maxBytes) return { bytes: new Uint8Array(), version: '' }
    const bytes = await file.readFile()
    return { bytes, version: bytes.toString('base64') }
  } finally {
    await file.close()
  }
}

/** Writes the bytes beside the place where they are to be, synced, and forgets them there after `use`. */
async function withDraft<Result>(
  at: string,
  bytes: Uint8Array,
  use: (draft: string) => Promise<Result>,
): Promise<Result> {
  const directory = dirname(at)
  await mkdir(directory, { recursive: true })
  const draft = join(directory, `.${basename(at)}.${randomBytes(8).toString('hex')}`)
  try {
    const file = await open(draft, 'wx', 0o644)
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    const result = await use(draft)
    await syncDirectory(directory)
    return result
  } finally {
    await unlink(draft).catch((error: unknown) => {
      // Renamed to where it belongs.
      if (codeOf(error) !== 'ENOENT') throw error
    })
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

async function failing<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    throw error instanceof PublishFailure
      ? error
      : new PublishFailure(`it cannot be read or written (${codeOf(error) ?? 'unknown'})`, { cause: error })
  }
}

/** The system's name of an error: `ENOSPC`. */
function codeOf(error: unknown): string | null {
  return error instanceof Error && 'code' in error ? String(error.code) : null
}
