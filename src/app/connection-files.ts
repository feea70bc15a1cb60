import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Files in the data directory by which commands on this machine find the server and prove to be the operator's. */
export interface ConnectionFiles {
  readOperatorKey(): string | null
  writeOperatorKey(text: string): void
  writeUrl(url: string): void
  removeUrl(): void
}

/** Mode 0600 in a directory of mode 0700: whoever can read them is the user that runs the server, or root. */
export function connectionFiles(dataDirectory: string): ConnectionFiles {
  const keyPath = join(dataDirectory, 'operator.key')
  const urlPath = join(dataDirectory, 'server.url')
  return {
    readOperatorKey() {
      try {
        return readFileSync(keyPath, 'utf8').trim()
      } catch {
        return null
      }
    },
    writeOperatorKey: (text) => replaceFile(keyPath, `${text}\n`),
    writeUrl: (url) => replaceFile(urlPath, `${url}\n`),
    removeUrl: () => rmSync(urlPath, { force: true }),
  }
}

/** A new file in the place of whatever is there: an old one would keep its mode and its owner, a link its target. */
function replaceFile(path: string, text: string): void {
  const partial = `${path}.new`
  rmSync(partial, { force: true })
  writeFileSync(partial, text, { mode: 0o600, flag: 'wx', flush: true })
  renameSync(partial, path)
}
