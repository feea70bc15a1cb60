import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { McpworksError } from '../kernel/index.ts'
import type { DataDirectoryPaths } from './data-directory.ts'

/** The right to write in a data directory. */
export interface DataDirectoryLock {
  release(): void
}

/**
 * Takes the data directory for this process. The lock is the kernel's (SQLite's file lock on a file of its own),
 * so it ends with the process, however that ends. Readers of the databases are not kept out.
 * The pid file is only for the message; it decides nothing.
 * @throws McpworksError `data_directory_in_use`, `storage_unavailable`
 */
export function lockDataDirectory(paths: DataDirectoryPaths): DataDirectoryLock {
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(paths.lock, { timeout: 0 })
    database.exec('BEGIN EXCLUSIVE')
    writeFileSync(paths.pid, `${process.pid}\n`, { mode: 0o600 })
  } catch (cause) {
    database?.close()
    if (isBusy(cause)) throw inUse(paths.pid)
    throw new McpworksError('storage_unavailable', {
      message: 'The data directory cannot be locked. It must be writable and on a file system with locks.',
      cause,
    })
  }
  const held = database
  return {
    release() {
      rmSync(paths.pid, { force: true })
      held.close()
    },
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === 5
}

function inUse(pidPath: string): McpworksError {
  let pid: string | null = null
  try {
    const text = readFileSync(pidPath, 'utf8').trim()
    pid = /^[1-9][0-9]{0,9}$/.test(text) ? text : null
  } catch {
    // The refusal stands either way; without the file it just names no process.
    pid = null
  }
  return new McpworksError('data_directory_in_use', {
    message:
      pid === null
        ? 'Another server is using this data directory.'
        : `Another server (process ${pid}) is using this data directory. Stop it, or give this one another directory.`,
    ...(pid === null ? {} : { data: { pid: Number(pid) } }),
  })
}
