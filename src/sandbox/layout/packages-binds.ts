import { access, constants, readdir, readlink, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { jailProfile } from '../profile/jail-profile.ts'

const alternatives = '/etc/alternatives/'

/**
 * What of the host the Python packages of a directory need in the jail: the directory itself, and the shared libraries that
 * Debian reaches through /etc/alternatives, as it does for linear algebra. Of that directory nothing else is shown.
 * Looks only at the top of the packages directory; what is unreadable deeper inside is found by the function that imports it.
 * @throws Error where this process, which is as unprivileged as the jails, cannot read it
 */
export async function packagesBinds(
  packagesDirectory: string,
  libraryDirectories: readonly string[],
): Promise<(readonly [string, string])[]> {
  await assertReadable(packagesDirectory)
  const binds: (readonly [string, string])[] = [[await realpath(packagesDirectory), jailProfile.packages]]
  for (const directory of libraryDirectories) {
    for (const entry of await readdir(directory, { withFileTypes: true })) {
      if (!entry.isSymbolicLink()) continue
      const link = await readlink(join(directory, entry.name))
      const target = link.startsWith(alternatives) && entry.name.includes('.so') ? await targetOf(link) : null
      if (target !== null) binds.push([target, link])
    }
  }
  return binds
}

async function assertReadable(directory: string): Promise<void> {
  const { R_OK: read, X_OK: enter } = constants
  let path = directory
  try {
    await access(path, read | enter)
    for (const entry of await readdir(directory, { withFileTypes: true })) {
      path = join(directory, entry.name)
      if (entry.isDirectory()) await access(path, read | enter)
      else if (entry.name.endsWith('.py') || entry.name.endsWith('.so')) await access(path, read)
    }
  } catch (cause) {
    const who = `user id ${String(process.getuid?.() ?? 'of the executor')}`
    throw new Error(
      `sandbox.pythonPackagesDirectory: ${path} cannot be read by ${who}, under which jails run. ` +
        `Type: chmod -R a+rX ${directory}, or name a directory that lies below none that is closed to others`,
      { cause },
    )
  }
}

/** `null` for a link that leads nowhere. */
async function targetOf(link: string): Promise<string | null> {
  try {
    return await realpath(link)
  } catch {
    return null
  }
}
