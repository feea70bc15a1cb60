import { randomBytes } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { McpworksError } from '../kernel/index.ts'

/** Bytes of the master key: AES-256. */
export const masterKeyBytes = 32

/** The files of a data directory. */
export interface DataDirectoryPaths {
  readonly audit: string
  readonly state: string
  readonly lock: string
  readonly pid: string
  readonly masterKey: string
  /** The public half of the log's signing key, for auditors. */
  readonly publicKey: string
  /** Derived from the log: it can be removed while no server runs. */
  readonly search: string
  /** The newest checkpoints that were signed while a server on this directory was active. */
  readonly seen: string
}

/** Where the files of a data directory are. Touches nothing. */
export function dataDirectoryPaths(dataDirectory: string): DataDirectoryPaths {
  return {
    audit: join(dataDirectory, 'audit.db'),
    state: join(dataDirectory, 'state.db'),
    lock: join(dataDirectory, 'server.lock'),
    pid: join(dataDirectory, 'server.pid'),
    masterKey: join(dataDirectory, 'master.key'),
    publicKey: join(dataDirectory, 'audit.pub'),
    search: join(dataDirectory, 'search.db'),
    seen: join(dataDirectory, 'audit.seen'),
  }
}

/**
 * Makes the directory (0700) if it is not there, and empty database files (0600), so that SQLite never makes them wider.
 * An existing directory that others may enter is refused rather than narrowed: it may be shared on purpose. So is one
 * that belongs to another user, who could put other databases and keys into it, and so are links in place of files.
 * @throws McpworksError `storage_unavailable`
 */
export function prepareDataDirectory(dataDirectory: string, paths: DataDirectoryPaths): void {
  try {
    mkdirSync(dataDirectory, { recursive: true, mode: 0o700 })
    refuseForeign(dataDirectory, 'directory')
    if ((statSync(dataDirectory).mode & 0o077) !== 0) {
      throw new McpworksError('storage_unavailable', {
        message: 'Other users of this machine may enter the data directory. Run: chmod 700 on it.',
      })
    }
    for (const path of [paths.audit, paths.state, paths.search, paths.lock]) {
      if (existsSync(path)) refuseForeign(path, 'file')
      else writeNewFile(path, '')
    }
    syncDirectory(dataDirectory)
  } catch (error) {
    if (error instanceof McpworksError) throw error
    throw unusable(error)
  }
}

/** @throws McpworksError `storage_unavailable` for what another user owns, or what is not what it should be */
function refuseForeign(path: string, expected: 'directory' | 'file'): void {
  const found = expected === 'directory' ? statSync(path) : lstatSync(path)
  const right = expected === 'directory' ? found.isDirectory() : found.isFile()
  if (right && found.uid === process.geteuid?.()) return
  throw new McpworksError('storage_unavailable', {
    message: right
      ? 'The data directory, or a file in it, belongs to another user, who could change what is in it. Use another one, or run: chown -R on it.'
      : `Something in the data directory is not a ${expected}. Use another data directory.`,
  })
}

/**
 * Reads the master key, or makes one at first start (0600).
 * Whoever has this file and the databases can read every stored body: keep it elsewhere where that matters.
 * @throws McpworksError `storage_unavailable`
 */
export function loadMasterKey(path: string, mayCreate: boolean): Uint8Array {
  try {
    if (existsSync(path)) {
      refuseForeign(path, 'file')
    } else {
      if (!mayCreate) {
        throw new McpworksError('storage_unavailable', {
          message:
            'master.key is missing from a data directory that has records. Put it back: without it no body opens.',
        })
      }
      writeNewFile(path, `${randomBytes(masterKeyBytes).toString('base64')}\n`)
      syncDirectory(dirname(path))
    }
    const key = Buffer.from(readFileSync(path, 'utf8').trim(), 'base64')
    if (key.length !== masterKeyBytes) {
      throw new McpworksError('storage_unavailable', { message: 'master.key does not hold 32 bytes in base64.' })
    }
    return key
  } catch (error) {
    if (error instanceof McpworksError) throw error
    throw unusable(error)
  }
}

/** Writes a file that must not exist yet, and syncs it. 0600 unless told otherwise. @throws the file system's errors */
export function writeNewFile(path: string, text: string, mode = 0o600): void {
  const descriptor = openSync(path, 'wx', mode)
  try {
    writeSync(descriptor, text)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** Makes the names in a directory durable. @throws the file system's errors */
export function syncDirectory(path: string): void {
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

function unusable(cause: unknown): McpworksError {
  const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown'
  return new McpworksError('storage_unavailable', {
    message: `The data directory cannot be used (${reason}). It must be writable by this user and have space left.`,
    cause,
  })
}
