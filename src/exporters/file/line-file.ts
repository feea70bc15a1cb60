import type { FileHandle } from 'node:fs/promises'
import { refused, taken, type Delivery } from '../delivery.ts'
import { FileRefusal, openForLines, readableTail, refusalOf, rotate, syncDirectoryOf } from './line-files-on-disk.ts'

/** A line, and what it is known by when the file is read again. */
export interface Line {
  readonly id: string
  /** JSON, without a line break. */
  readonly text: string
}

/** Where lines go. */
export interface LineFileOptions {
  /** Absolute. */
  readonly path: string
  /** Length that a file is not to pass, in bytes; one that a single line is longer than holds that line alone. */
  readonly maxBytes: number
  /** Full files that are kept beside it, `PATH.1` the newest; older ones are deleted. */
  readonly files: number
  /** The id that a line of the file has; `null` for one that was not written here. */
  readonly idOf: (line: string) => string | null
}

/** Lines whose ids are looked for at the end of what is there already: more than are handed over at once. */
const tailLines = 1000

interface Seen {
  readonly device: bigint
  readonly inode: bigint
  size: number
}

/**
 * A file of JSON lines that one server adds to. What was taken is on the disk, under its name. Where writing stopped in
 * the middle, or the file is another than it was, its end is read first: a line that was cut off is cut away, and lines
 * that are there already are not written again.
 */
export class LineFile {
  readonly #options: LineFileOptions
  /** As it was left; `null` where that is not known. */
  #seen: Seen | null = null
  #there: ReadonlySet<string> = new Set()

  constructor(options: LineFileOptions) {
    this.#options = options
  }

  /** All of the lines that are not there yet, in their order. Never rejects: where it fails, what was written is found. */
  async take(lines: readonly Line[]): Promise<Delivery> {
    try {
      let rest = lines
      while (rest.length > 0) rest = await this.#writeSome(rest)
      return taken
    } catch (error) {
      this.#seen = null
      return refused(refusalOf(error))
    }
  }

  /** Writes what has room in the file, at least a line, and returns the rest. */
  async #writeSome(lines: readonly Line[]): Promise<readonly Line[]> {
    const { path, maxBytes, files } = this.#options
    const file = await openForLines(path)
    try {
      const seen = await this.#recognize(file)
      const missing = lines.filter(({ id }) => !this.#there.has(id))
      const chunk: string[] = []
      let bytes = 0
      for (const { text } of missing) {
        const length = Buffer.byteLength(text) + 1
        if (seen.size + bytes + length > maxBytes && seen.size + bytes > 0) break
        chunk.push(`${text}\n`)
        bytes += length
      }
      if (chunk.length > 0) await append(file, chunk.join(''), seen.size)
      seen.size += bytes
      const rest = missing.slice(chunk.length)
      if (rest.length > 0) {
        this.#seen = null
        await rotate(path, files)
      }
      return rest
    } finally {
      await file.close()
    }
  }

  /** Makes sure of where the file ends. */
  async #recognize(file: FileHandle): Promise<Seen> {
    const { dev: device, ino: inode, size } = await file.stat({ bigint: true })
    const was = this.#seen
    if (was !== null && was.device === device && was.inode === inode && BigInt(was.size) === size) return was
    const { path, idOf } = this.#options
    const end = await readableTail(file, Number(size), tailLines)
    const ids = end.lines.map(idOf)
    if (ids.includes(null) || (end.cut.length > 0 && !mayBeCutLine(end.cut, idOf)))
      throw new FileRefusal('it holds what was not written here')
    if (end.cut.length > 0) await file.truncate(end.wholeBytes)
    await syncDirectoryOf(path)
    const before = await linesBefore(path, tailLines - end.lines.length)
    this.#there = new Set([...before.map(idOf), ...ids].filter((id) => id !== null))
    this.#seen = { device, inode, size: end.wholeBytes }
    return this.#seen
  }
}

/** What is whole JSON and no line of ours, such as a file of settings that ends without a line break, was never cut off. */
function mayBeCutLine(text: string, idOf: LineFileOptions['idOf']): boolean {
  return text.startsWith('{') && (idOf(text) !== null || !isJson(text))
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** The last lines of full files: lines may have gone there whose taking was not noted. */
async function linesBefore(path: string, wanted: number): Promise<readonly string[]> {
  const lines: string[] = []
  let missing = 0
  // One number is without a file where the server was killed while files got other names.
  for (let number = 1; lines.length < wanted && missing < 2; number += 1) {
    const file = await openForLines(`${path}.${number}`, 'existing')
    if (file === null) {
      missing += 1
      continue
    }
    try {
      const { size } = await file.stat()
      lines.push(...(await readableTail(file, size, wanted - lines.length)).lines)
    } finally {
      await file.close()
    }
  }
  return lines
}

/** All of it on the disk, or none of it as far as that can be had: what is left of a line is cut away when it is read. */
async function append(file: FileHandle, text: string, size: number): Promise<void> {
  try {
    await file.writeFile(text)
    await file.sync()
  } catch (error) {
    await file.truncate(size).catch(() => {})
    throw error
  }
}
