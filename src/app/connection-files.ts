import { readFileSync, rmSync, writeFileSync } from 'node:fs'
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
    writeOperatorKey: (text) => writeFileSync(keyPath, `${text}\n`, { mode: 0o600, flush: true }),
    writeUrl: (url) => writeFileSync(urlPath, `${url}\n`, { mode: 0o600 }),
    removeUrl: () => rmSync(urlPath, { force: true }),
  }
}
