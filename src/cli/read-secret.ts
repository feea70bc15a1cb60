import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'
import { CliError } from './cli-error.ts'
import { exitCode } from './exit-code.ts'

const maxBytes = 16 * 1024

/**
 * A secret from a file, or from standard input where something is piped into it; never from the arguments, which every
 * user of the machine can read, and never from a terminal, which would show it. One line end at its end is dropped.
 * @throws CliError where there is none, or too much
 */
export function readSecret(file: string | null): string {
  if (file === null && process.stdin.isTTY) {
    throw new CliError(
      exitCode.usage,
      'The secret is read from standard input or a file, and neither is there.',
      'Pipe it in, or name a file with --file',
    )
  }
  const text = readBounded(file).replace(/\r?\n$/, '')
  if (text === '') throw new CliError(exitCode.usage, 'The secret is empty.')
  return text
}

function readBounded(file: string | null): string {
  let descriptor = 0
  try {
    if (file !== null) descriptor = openSync(file, 'r')
    if (file !== null && fstatSync(descriptor).size > maxBytes)
      throw new CliError(exitCode.usage, 'The file is too large for a secret.')
    const bytes = readFileSync(descriptor)
    if (bytes.length > maxBytes) throw new CliError(exitCode.usage, 'That is too long for a secret.')
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    if (error instanceof CliError) throw error
    throw new CliError(exitCode.usage, `The secret cannot be read from ${file ?? 'standard input'}.`)
  } finally {
    if (descriptor !== 0) closeSync(descriptor)
  }
}
