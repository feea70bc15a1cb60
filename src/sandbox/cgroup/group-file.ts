import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const mostBytes = 4096

/**
 * One file of a group, held open: reading it anew then costs a few microseconds, a fifth of opening it again. Files that
 * the kernel does not have read as `null` and cannot be written.
 */
export class GroupFile {
  readonly #descriptor: number | null

  constructor(group: string, name: string, flags: 'r' | 'w' | 'r+') {
    this.#descriptor = descriptorOf(join(group, name), flags)
  }

  /** The number that it holds; `null` where it holds another thing, such as "max". */
  number(): number | null {
    const text = this.#text()
    return text !== null && /^\d+\s*$/.test(text) ? Number(text) : null
  }

  /** One number of a file of lines `name number`. */
  field(name: string): number | null {
    const found = new RegExp(`^${name} (\\d+)$`, 'm').exec(this.#text() ?? '')?.[1]
    return found === undefined ? null : Number(found)
  }

  /** Whether it holds nothing at all. A file that cannot be read is taken to hold something. */
  isEmpty(): boolean {
    return this.#text() === ''
  }

  /** False where the kernel does not take the value. */
  write(value: string | number): boolean {
    if (this.#descriptor === null) return false
    try {
      writeSync(this.#descriptor, String(value))
      return true
    } catch {
      return false
    }
  }

  close(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor)
  }

  #text(): string | null {
    if (this.#descriptor === null) return null
    const bytes = Buffer.allocUnsafe(mostBytes)
    try {
      return bytes.toString('latin1', 0, readSync(this.#descriptor, bytes, 0, mostBytes, 0))
    } catch {
      return null
    }
  }
}

function descriptorOf(path: string, flags: string): number | null {
  try {
    return openSync(path, flags)
  } catch {
    return null
  }
}
