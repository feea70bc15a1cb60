import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { EngineProbe } from '../sandbox-engine.ts'
import { ConfigFiles } from './config-files.ts'
import { findNsjail, findSetpriv } from './find-program.ts'
import { nsjailDescriptors, strictestProcfs, type JailPlan } from './jail-plan.ts'
import { nsjailConfig } from './nsjail-config.ts'
import { withoutPlaces } from './nsjail-log.ts'
import { childrenPath, startNsjail, type NsjailPrograms } from './nsjail-process.ts'

const getIt =
  'build nsjail 3.1 or later from its public source (google/nsjail), or set sandbox.nsjailPath to where it is'
const otherEngine = 'set sandbox.engine to bubblewrap'
const namespaces = 'sysctl -w kernel.apparmor_restrict_unprivileged_userns=0 user.max_user_namespaces=15000'
const shownDigits = 16

/**
 * Whether there is an nsjail that makes a jail as ours are made: a real one is made with every field and every kind of
 * mount, and `true` is run in it. nsjail cannot tell its release, so that the version is the start of its SHA-256.
 */
export async function probeNsjail(configured: string | null): Promise<EngineProbe> {
  const nsjail = findNsjail(configured)
  if (nsjail.path === null) return { ok: false, reason: nsjail.problem, remedy: getIt }
  const setpriv = findSetpriv()
  if (setpriv.path === null) return { ok: false, reason: setpriv.problem, remedy: 'apt-get install util-linux' }
  if (!existsSync(childrenPath(process.pid)))
    return { ok: false, reason: 'the kernel was built without CONFIG_PROC_CHILDREN', remedy: otherEngine }
  const programs = { nsjail: nsjail.path, setpriv: setpriv.path }
  const problem = await firstJailProblem(programs)
  if (problem === null) return { ok: true, version: await versionOf(nsjail.path) }
  return { ok: false, reason: withoutPlaces(problem).slice(0, 500), remedy: remedyFor(problem) }
}

/** What the first jail of an nsjail complains of, or `null` where it ran its program. */
async function firstJailProblem(programs: NsjailPrograms): Promise<string | null> {
  const files = new ConfigFiles()
  const plan: JailPlan = {
    command: ['/usr/bin/true'],
    binds: [['/usr', '/usr']],
    links: [
      ['usr/lib', '/lib'],
      ['usr/lib64', '/lib64'],
    ],
    tmpfs: [{ path: '/tmp', bytes: 4096, inodes: 16, mode: '1777' }],
    procfs: strictestProcfs([]),
    emptyDirectories: ['/empty'],
    logDescriptor: nsjailDescriptors.log,
    policy: 'DEFAULT ALLOW',
    limits: [],
  }
  try {
    const jail = startNsjail(programs, files.descriptorOf(nsjailConfig(plan)))
    let said = ''
    for (const stream of [jail.stdout, jail.channel]) stream.resume()
    jail.stderr.on('data', (part: Buffer) => (said = (said + part.toString('utf8')).slice(0, 4000)))
    const timer = setTimeout(() => jail.kill(), 10_000)
    const { exitCode } = await jail.ended
    clearTimeout(timer)
    if (exitCode === 0) return null
    return said.trim() === '' ? `${programs.nsjail} made no jail and said nothing of it` : said.trim()
  } finally {
    files.close()
  }
}

function remedyFor(problem: string): string {
  if (/parse|no field named|unrecognized|failed to parse/i.test(problem)) return getIt
  if (/CLONE_NEWUSER|uid_map|Operation not permitted/.test(problem)) return namespaces
  return otherEngine
}

async function versionOf(path: string): Promise<string> {
  return `sha256:${createHash('sha256')
    .update(await readFile(path))
    .digest('hex')
    .slice(0, shownDigits)}`
}
