import { spawn } from 'node:child_process'
import type { Step } from './steps.ts'

/** How a checker ended. `output` is both streams, in the order in which they arrived. */
export interface StepResult {
  readonly name: string
  readonly ok: boolean
  readonly milliseconds: number
  readonly output: string
}

/**
 * Runs one checker to its end in a directory. A checker that cannot be started or is killed counts as failed.
 */
export function runStep(step: Step, directory: string): Promise<StepResult> {
  const began = performance.now()
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    const child = spawn(process.execPath, step.args, {
      cwd: directory,
      stdio: ['ignore', 'pipe', 'pipe'],
      // A checker writes nothing, and its report is for a reader that is no terminal.
      env: { ...process.env, JITI_FS_CACHE: 'false', NO_COLOR: '1', FORCE_COLOR: '0' },
    })
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.on('error', (error) => chunks.push(Buffer.from(`${error.message}\n`)))
    child.on('close', (code) => {
      const milliseconds = performance.now() - began
      resolve({ name: step.name, ok: code === 0, milliseconds, output: Buffer.concat(chunks).toString('utf8') })
    })
  })
}
