import { randomBytes } from 'node:crypto'
import { constants, type Stats } from 'node:fs'
import { lstat, mkdir, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, relative, sep } from 'node:path'
import { CliError } from '../cli-error.ts'
import { exitCode } from '../exit-code.ts'
import type { ConfigPlace } from './connect-client.ts'

const maxBytes = 32 * 1024 * 1024

/** A configuration file of somebody else's program, as it is found. */
export interface ConfigFile {
  /** Where it is called for. */
  readonly path: string
  /** Where it really is: another place only where symbolic links lead there. */
  readonly target: string
  /** `null` where there is none yet. */
  readonly text: string | null
  readonly mode: number | null
}

/**
 * Reads the file of a place. Symbolic links are followed within the place's own directory; out of it only where
 * `followLinks` says so.
 * @throws CliError where it is no file of this user's, leads elsewhere, or is not UTF-8
 */
export async function readConfigFile({ path, root }: ConfigPlace, followLinks: boolean): Promise<ConfigFile> {
  const target = await resolveTarget(path)
  const home = await realpath(root).catch(() => root)
  const away = relative(home, target)
  if ((away === '..' || away.startsWith(`..${sep}`)) && !followLinks) {
    throw refusal(
      `${path} is a symbolic link, or lies below one, and leads to ${target}.`,
      'Allow it with --follow-links',
    )
  }
  const facts = await stat(target).catch(absent)
  if (facts === null) return { path, target, text: null, mode: null }
  checkFacts(target, facts)
  const bytes = await readFile(target).catch((error: unknown) => {
    throw refusal(`${target} cannot be read.`, error instanceof Error ? error.message : null)
  })
  return { path, target, text: decode(target, bytes), mode: facts.mode & 0o777 }
}

/**
 * Puts a new text in place of the file at once: written beside it, made durable, then renamed, with the mode that it
 * had. `isSecret` takes every right from everybody else.
 * @throws CliError where the file is not what it was when it was read, or cannot be written; then it is as it was
 */
export async function replaceConfigFile(file: ConfigFile, text: string, isSecret: boolean): Promise<void> {
  const { target } = file
  const mode = (file.mode ?? (isSecret ? 0o600 : 0o644)) & (isSecret ? 0o600 : 0o777)
  const beside = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString('hex')}`)
  try {
    await mkdir(dirname(target), { recursive: true, mode: 0o700 })
    const handle = await open(beside, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o600)
    try {
      await handle.writeFile(text)
      await handle.chmod(mode)
      await handle.sync()
    } finally {
      await handle.close()
    }
    const now = await readFile(target, 'utf8').catch(absent)
    if (now !== file.text) throw refusal(`${target} was changed by another program meanwhile.`, 'Run the command again')
    await rename(beside, target)
  } catch (error) {
    await rm(beside, { force: true }).catch(() => {})
    if (error instanceof CliError) throw error
    throw refusal(`${target} cannot be written.`, error instanceof Error ? error.message : null)
  }
}

/** The path with every symbolic link resolved, also where its last parts do not exist yet. */
async function resolveTarget(path: string): Promise<string> {
  const facts = await lstat(path).catch(absent)
  if (facts !== null) {
    return realpath(path).catch(() => {
      throw refusal(`${path} is a symbolic link that leads nowhere.`, 'Remove it, or make what it names')
    })
  }
  const parent = dirname(path)
  return parent === path ? path : join(await resolveTarget(parent), basename(path))
}

function checkFacts(path: string, facts: Stats): void {
  if (!facts.isFile()) throw refusal(`${path} is not a file.`, null)
  if (facts.size > maxBytes) throw refusal(`${path} is larger than ${maxBytes / 1024 / 1024} MiB.`, null)
  if (facts.uid !== process.geteuid?.()) throw refusal(`${path} belongs to another user.`, null)
  // Renaming would replace a file that somebody made read-only on purpose.
  if ((facts.mode & 0o200) === 0) throw refusal(`${path} is read-only.`, 'chmod u+w it if it may be changed')
}

function decode(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw refusal(`${path} is not UTF-8.`, null)
  }
}

function absent(error: unknown): null {
  if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return null
  throw error
}

function refusal(message: string, hint: string | null): CliError {
  return new CliError(exitCode.failed, `${message} It was left as it is.`, hint)
}
