import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { JsonObject } from '../kernel/index.ts'
import { CliError } from './cli-error.ts'
import { exitCode } from './exit-code.ts'

/**
 * The policy files of a directory, sorted by name. Regular files only: a pipe would never end, and a link could name
 * any file of the user's.
 * @throws CliError `usage` where it cannot be read, or holds none.
 */
export async function readPolicyFiles(directory: string): Promise<JsonObject[]> {
  const files = await listPolicyFiles(directory)
  if (files.length > 0) return files
  throw new CliError(
    exitCode.usage,
    `There is no .cedar or .rules.yaml file in ${directory}.`,
    'Give the folder that holds them; links are not followed',
  )
}

/** The same for a directory that may hold none yet. */
export async function listPolicyFiles(directory: string): Promise<JsonObject[]> {
  const names = (await regularFiles(directory)).filter((name) => /\.(?:cedar|rules\.yaml)$|^facts\.yaml$/.test(name))
  return Promise.all(names.map(async (name) => ({ path: name, text: await readFile(join(directory, name), 'utf8') })))
}

/** Names of the regular files directly in a directory, sorted. @throws CliError `usage` where it cannot be read. */
export async function regularFiles(directory: string): Promise<string[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true })
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => entry.name)
      .sort()
  } catch {
    throw new CliError(
      exitCode.usage,
      `${directory} is not a directory that can be read.`,
      'Give the folder that holds the policy files',
    )
  }
}
