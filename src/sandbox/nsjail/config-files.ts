import { randomBytes } from 'node:crypto'
import { closeSync, openSync, unlinkSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const keptFiles = 64

/**
 * Configurations as open files without a name, to be handed to nsjail as a descriptor: it opens what it is given anew
 * under /proc/self/fd, which a pipe of Node does not allow. Nothing is left on disk and nobody else can change them.
 * Equal configurations share a file; of the others the oldest is closed.
 */
export class ConfigFiles {
  readonly #descriptors = new Map<string, number>()

  /** A descriptor of a file that holds the text. Good until the next call; a process started with it keeps its own. */
  descriptorOf(text: string): number {
    const known = this.#descriptors.get(text)
    if (known !== undefined) return known
    const descriptor = namelessFile(text)
    this.#descriptors.set(text, descriptor)
    const [oldest] = this.#descriptors
    if (this.#descriptors.size > keptFiles && oldest !== undefined) {
      closeSync(oldest[1])
      this.#descriptors.delete(oldest[0])
    }
    return descriptor
  }

  close(): void {
    for (const descriptor of this.#descriptors.values()) closeSync(descriptor)
    this.#descriptors.clear()
  }
}

function namelessFile(text: string): number {
  const path = join(tmpdir(), `.mcpworks-${randomBytes(16).toString('hex')}`)
  const ownerOnly = 0o600
  const descriptor = openSync(path, 'wx+', ownerOnly)
  try {
    unlinkSync(path)
    const bytes = Buffer.from(text)
    let offset = 0
    while (offset < bytes.length) offset += writeSync(descriptor, bytes, offset)
    return descriptor
  } catch (error) {
    closeSync(descriptor)
    throw error
  }
}
