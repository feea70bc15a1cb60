import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { McpworksError } from '../kernel/index.ts'
import { syncDirectory } from './data-directory.ts'

/**
 * Puts a log's verifier key lines where auditors find them, the oldest first. A file of the log that is there is only
 * ever added to: one with other lines was changed by somebody, and is left for the verifier to find.
 * @throws McpworksError `storage_unavailable` where the keys of another log are there; the file system's errors
 */
export function exportPublicKeys(path: string, lines: readonly string[]): void {
  const text = lines.map((line) => `${line}\n`).join('')
  const there = existsSync(path) ? readFileSync(path, 'utf8') : ''
  const name = text.slice(0, text.indexOf('+') + 1)
  if (there !== '' && !there.startsWith(name)) {
    throw new McpworksError('storage_unavailable', {
      message: 'audit.pub in the data directory is of another decision log. Keep it with that log, and take it away.',
    })
  }
  if (there === text || !text.startsWith(there)) return
  // Whole or not at all: half a line would be a key that nothing was signed with.
  const temporary = `${path}.new`
  const descriptor = openSync(temporary, 'w', 0o644)
  try {
    writeSync(descriptor, text)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  renameSync(temporary, path)
  syncDirectory(dirname(path))
}
