import { readFileSync, writeFileSync } from 'node:fs'
import { CliError } from './cli-error.ts'
import { exitCode } from './exit-code.ts'

/** @throws CliError where the file cannot be read: evidence that was named is never left out. */
export function readEvidence(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    throw new CliError(exitCode.usage, `${path} cannot be read.`, 'Check the path and its permissions')
  }
}

/** @throws CliError where there is such a file already, or none can be written. */
export function writeNew(path: string, text: string): void {
  try {
    writeFileSync(path, text, { flag: 'wx' })
  } catch (error) {
    const isThere = error instanceof Error && 'code' in error && error.code === 'EEXIST'
    throw new CliError(
      exitCode.usage,
      isThere ? `${path} is there already.` : `${path} cannot be written.`,
      'Name another file',
    )
  }
}
