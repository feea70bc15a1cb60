import { readFileSync } from 'node:fs'
import { CliError } from '../cli-error.ts'
import { exitCode } from '../exit-code.ts'

/** @throws CliError where the file cannot be read: evidence that was named is never left out. */
export function readEvidence(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    throw new CliError(exitCode.usage, `${path} cannot be read.`, 'Check the path and its permissions')
  }
}
