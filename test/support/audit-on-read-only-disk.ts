// Opens a data directory that was mounted read-only after it was made, and says as JSON what happened.
// Runs in a mount namespace of its own, where it may mount. Argument: an empty directory to mount on.
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { systemClock } from '../../src/kernel/index.ts'
import { openStorage } from '../../src/storage/index.ts'
import { decisionDraft } from './record-drafts.ts'

const [mountPoint = ''] = process.argv.slice(2)
execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m,mode=0700', 'tmpfs', mountPoint])
const dataDirectory = join(mountPoint, 'data')

async function attempt() {
  try {
    const storage = await openStorage({ dataDirectory, clock: systemClock })
    const { index } = await storage.decisionLog.append(decisionDraft({ effect: 'deny' }))
    await storage.close()
    return { index }
  } catch (error) {
    return error instanceof Error && 'code' in error ? { code: error.code, message: error.message } : { code: null }
  }
}

const writable = await attempt()
execFileSync('mount', ['-o', 'remount,bind,ro', mountPoint])
const readOnly = await attempt()
execFileSync('mount', ['-o', 'remount,bind,rw', mountPoint])
const again = await attempt()
process.stdout.write(JSON.stringify({ writable, readOnly, again }))
