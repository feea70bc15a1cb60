import { accessSync, constants, existsSync, statSync } from 'node:fs'
import type { Config } from '../config/index.ts'
import { examineMachine } from '../sandbox/index.ts'
import { readCheckpointFile } from '../publishing/index.ts'
import { examineDatabase, examineSeenLog } from '../storage/index.ts'
import { auditPlaceOf } from './log-place.ts'
import type { HealthCheck } from './management/platform-handlers.ts'

/** Looks at what a server on this machine would need. Makes one empty jail, to see whether it can, and changes nothing. */
export async function checkMachine(config: Config): Promise<HealthCheck[]> {
  const major = Number(process.versions.node.split('.')[0])
  return [
    {
      id: 'node',
      ok: major >= 24,
      detail: process.versions.node,
      remedy: 'run it through npm start or npx mcpworks, which bring Node 24',
    },
    program('bubblewrap', config.sandbox.bubblewrapPath, 'bubblewrap'),
    program('python', config.sandbox.pythonPath, 'python3'),
    ...(await examineMachine(config.sandbox)),
    dataDirectory(config.dataDirectory),
    ...(await database(config.storage.database)),
    ...(await seenLog(config)),
  ]
}

/** Whether the log is the one that was signed before, as far as this machine remembers it. Nothing where it remembers none. */
async function seenLog({ dataDirectory: path, storage, publishing }: Config): Promise<HealthCheck[]> {
  const id = 'decision log as seen before'
  const { file } = publishing.checkpoints
  try {
    const kept = file === null ? [] : await readCheckpointFile(file)
    const { compared, differences } = await examineSeenLog(auditPlaceOf(path, storage), kept)
    const [first] = differences
    if (compared === 0) return []
    if (first === undefined)
      return [{ id, ok: true, detail: `goes on from ${compared} checkpoints that were kept`, remedy: null }]
    const remedy =
      'mcpworks audit verify; where a backup was restored on purpose, mcpworks up --accept-older-log, and another publishing.checkpoints.file'
    return [{ id, ok: false, detail: first.problem, remedy }]
  } catch (error) {
    const detail = error instanceof Error ? error.message : 'it cannot be read'
    return [{ id, ok: false, detail, remedy: 'see that the log and the files of the data directory can be read' }]
  }
}

async function database({ url, caFile }: Config['storage']['database']): Promise<HealthCheck[]> {
  if (url === null) return []
  const id = 'database'
  const found = await examineDatabase({ url, caFile })
  if (!found.ok) return [{ id, ok: false, detail: found.problem, remedy: 'see docs/postgresql.md' }]
  const way = found.tls ? 'over TLS, with a certificate that was verified' : 'on this machine, without TLS'
  const active =
    found.active === null ? 'no server has been active on it' : `the last active server is on ${found.active}`
  return [{ id, ok: true, detail: `PostgreSQL ${found.version}, ${way}; ${active}`, remedy: null }]
}

function program(id: string, path: string, debianPackage: string): HealthCheck {
  try {
    accessSync(path, constants.X_OK)
    return { id, ok: true, detail: path, remedy: null }
  } catch {
    return {
      id,
      ok: false,
      detail: `${path} is not there`,
      remedy: `sudo apt-get install -y ${debianPackage}, or correct sandbox.${id}Path`,
    }
  }
}

function dataDirectory(path: string): HealthCheck {
  const id = 'data directory'
  if (!existsSync(path)) return { id, ok: true, detail: `${path} will be made`, remedy: null }
  const { mode, uid } = statSync(path)
  if (uid !== process.geteuid?.()) {
    return {
      id,
      ok: false,
      detail: `${path} belongs to another user`,
      remedy: 'use another data directory, or chown it',
    }
  }
  const others = mode & 0o077
  if (others !== 0) return { id, ok: false, detail: `${path} can be read by others`, remedy: `chmod 700 ${path}` }
  try {
    accessSync(path, constants.R_OK | constants.W_OK)
    return { id, ok: true, detail: path, remedy: null }
  } catch {
    return { id, ok: false, detail: `${path} cannot be written`, remedy: `make it writable for this user` }
  }
}
