import { createHash } from 'node:crypto'
import { chmod, copyFile, lstat, mkdir, open, realpath, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** The bits that let others write. */
const writableByOthers = 0o022

/**
 * Puts a copy of a file where an unprivileged process can read it and only root can write, named by its content, and
 * returns the path of the copy. For a server that runs as root from a directory that others cannot enter.
 * A copy that is there is used only if it, and every directory above it, belongs to root and is writable by nobody else,
 * and its hash is right; what is not so is replaced, or, for a directory, refused.
 * @throws Error where a directory on the way could be changed by somebody else
 */
export async function stageFile(source: string, stagingDirectory: string, name: string, mode: number): Promise<string> {
  await mkdir(stagingDirectory, { recursive: true, mode: 0o755 })
  const root = await realpath(stagingDirectory)
  await assertRootOnly(root)
  await chmod(root, 0o755)
  const hash = await hashFile(source)
  const directory = join(root, hash)
  await mkdir(directory, { recursive: true, mode: 0o755 })
  await assertRootOnly(directory)
  await chmod(directory, 0o755)
  const target = join(directory, name)
  if (!(await isGoodCopy(target, hash))) {
    const partial = join(directory, `.${name}.${String(process.pid)}`)
    await copyFile(source, partial)
    await chmod(partial, mode)
    await rename(partial, target)
    if (!(await isGoodCopy(target, hash))) {
      await rm(target, { force: true })
      throw new Error(`${source} changed while it was copied`)
    }
  }
  await chmod(target, mode)
  return target
}

/** Every directory from here to the root of the file system is root's, and nobody else may write to it. */
async function assertRootOnly(directory: string): Promise<void> {
  const facts = await lstat(directory)
  if (!facts.isDirectory()) throw new Error(`${directory} is no directory`)
  if (facts.uid !== 0 || (facts.mode & writableByOthers) !== 0) {
    throw new Error(`${directory} can be changed by others than root; set sandbox.stagingDirectory to one that cannot`)
  }
  const parent = dirname(directory)
  if (parent !== directory) await assertRootOnly(parent)
}

async function isGoodCopy(path: string, hash: string): Promise<boolean> {
  try {
    const facts = await lstat(path)
    return (
      facts.isFile() &&
      facts.uid === 0 &&
      facts.nlink === 1 &&
      (facts.mode & writableByOthers) === 0 &&
      (await hashFile(path)) === hash
    )
  } catch {
    return false
  }
}

/** Through one buffer, because a runtime has some 100 MB: a new one for each part costs as much as the hash. */
async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  const buffer = Buffer.allocUnsafeSlow(256 * 1024)
  const file = await open(path)
  try {
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, null)
      if (bytesRead === 0) return hash.digest('hex')
      hash.update(buffer.subarray(0, bytesRead))
    }
  } finally {
    await file.close()
  }
}
