import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Measured, Measurement } from './measurement.ts'

const program = fileURLToPath(new URL('raw-launcher.py', import.meta.url))

/** A small process that runs commands of the machine without any sandbox of ours, and takes the time. */
export class RawLauncher {
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>

  private constructor(child: ChildProcess) {
    if (child.stdout === null) throw new Error('the launcher has no output')
    this.#child = child
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  }

  static start(options: { readonly hideUnified: boolean }): RawLauncher {
    const args = ['-I', '-S', '-E', program, ...(options.hideUnified ? ['--hide-unified'] : [])]
    return new RawLauncher(spawn('/usr/bin/python3', args, { stdio: ['pipe', 'pipe', 'inherit'] }))
  }

  /** @throws Error where one run failed or wrote anything but `expected`: a runtime that fails looks fast. */
  async measure(command: readonly string[], expected: string, measurement: Measurement): Promise<Measured> {
    this.#child.stdin?.write(`${JSON.stringify({ command, expected, ...measurement })}\n`)
    const { value: line, done } = await this.#lines.next()
    if (done === true) throw new Error('the launcher ended')
    const answer = JSON.parse(line) as Measured | { readonly error: string }
    if ('error' in answer) throw new Error(`${command.join(' ')}: ${answer.error}`)
    return answer
  }

  close(): void {
    this.#child.stdin?.end()
  }
}
