import { constants } from 'node:fs'
import { appendFile, mkdir, open, readdir, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { BundleSource, BundleTarget } from '../audit/index.ts'
import { McpworksError } from '../kernel/index.ts'

/**
 * A directory to write a bundle to. It is made, or must be empty.
 * @throws McpworksError `storage_unavailable` where it is not empty or cannot be written
 */
export async function openBundleTarget(directory: string): Promise<BundleTarget> {
  try {
    await mkdir(directory, { recursive: true })
    if ((await readdir(directory)).length > 0) throw new McpworksError('storage_unavailable', { message: notEmpty })
  } catch (cause) {
    throw cause instanceof McpworksError ? cause : unwritable(cause)
  }
  const write = async (path: string, flags: string, content: string | Uint8Array): Promise<void> => {
    try {
      await mkdir(join(directory, dirname(path)), { recursive: true })
      await appendFile(join(directory, path), content, { flag: flags, flush: true })
    } catch (cause) {
      throw unwritable(cause)
    }
  }
  return {
    write: (path, content) => write(path, 'ax', content),
    append: (path, lines) => (lines.length === 0 ? Promise.resolve() : write(path, 'a', `${lines.join('\n')}\n`)),
  }
}

const notEmpty = 'The directory holds something already: name one that is empty, or that does not exist.'

function unwritable(cause: unknown): McpworksError {
  return new McpworksError('storage_unavailable', { message: 'The directory cannot be written.', cause })
}

/** A bundle in a directory that somebody else wrote. Nothing but plain files is read. */
export function openBundleSource(directory: string): BundleSource {
  return {
    async read(path, maxBytes) {
      const file = await openPlain(join(directory, path))
      if (file === null) return null
      try {
        const { size } = await file.stat()
        return size > maxBytes ? null : await file.readFile()
      } finally {
        await file.close()
      }
    },
    async *lines(path, maxLength) {
      const file = await openPlain(join(directory, path))
      if (file === null) return
      try {
        yield* splitLines(file, maxLength)
      } finally {
        await file.close()
      }
    },
  }
}

/** A line that is too long is cut: it is then no record, and is said to be none. */
async function* splitLines(file: FileHandle, maxLength: number): AsyncIterable<string> {
  let rest = ''
  for await (const chunk of file.createReadStream({ encoding: 'utf8', autoClose: false })) {
    const parts = (rest + String(chunk)).split('\n')
    rest = (parts.pop() ?? '').slice(0, maxLength + 1)
    for (const line of parts) yield line.slice(0, maxLength + 1)
  }
  if (rest !== '') yield rest
}

/** `null` for what is not there, and for links, pipes and devices: reading one could wait for ever. */
async function openPlain(path: string): Promise<FileHandle | null> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
  const file = await open(path, flags).catch(() => null)
  if (file === null) return null
  if ((await file.stat()).isFile()) return file
  await file.close()
  return null
}
