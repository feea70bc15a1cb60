// Fills the small disk of a database until the log refuses, makes room, and says as JSON what happened.
// Runs in a mount namespace of its own, where it may mount.
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chownSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { verifyDecisionLog } from '../../src/audit/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { openPostgresAuditReader, openPostgresLog } from '../../src/storage/index.ts'
import { startPostgresCluster } from './postgres-cluster.ts'
import { decisionDraft } from './record-drafts.ts'

const cluster = await startPostgresCluster()
const { uid, gid } = statSync(cluster.directory)
// In the cluster's directory, because the server must get through to it.
const space = join(cluster.directory, 'space')
mkdirSync(space)
execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m,mode=0755', 'tmpfs', space])
const [ballast, data] = [join(space, 'ballast'), join(space, 'data')]
writeFileSync(ballast, Buffer.alloc(2 ** 21))
mkdirSync(data)
chownSync(data, uid, gid)
const admin = new pg.Client({ connectionString: cluster.url() })
await admin.connect()
await admin.query(`CREATE TABLESPACE small LOCATION '${data}'`)
await admin.query('CREATE DATABASE small TABLESPACE small')
await admin.end()

const database = { url: cluster.url('small'), caFile: null }
const masterKey = randomBytes(32)
const publicKeyPath = join(cluster.directory, 'audit.pub')
const { decisionLog, close } = await openPostgresLog({ database, masterKey, publicKeyPath, clock: systemClock })

/** Appends groups of 32 until one is refused. */
async function fill() {
  const acknowledged: string[] = []
  for (;;) {
    const settled = await Promise.allSettled(
      Array.from({ length: 32 }, () => decisionLog.append(decisionDraft({ effect: 'deny' }))),
    )
    const good = settled.filter((result) => result.status === 'fulfilled')
    acknowledged.push(...good.map(({ value }) => value.id))
    const refused = settled.filter((result) => result.status === 'rejected')
    if (refused.length > 0) return { acknowledged, codes: refused.map(({ reason }) => reason.code as string) }
  }
}

const first = await fill()
const whileFull = decisionLog.health()
rmSync(ballast)
const withRoom = await decisionLog.recheck()
const after = await decisionLog.append(decisionDraft({ effect: 'deny' }))
await close()
const reader = openPostgresAuditReader({ database, masterKey, publicKeyLine: null })
const report = await verifyDecisionLog({ reader })
const stored = new Set((await reader.records(0, 100_000)).map(({ id }) => id))
await reader.close()
await cluster.stop('crash')
execFileSync('umount', [space])
await cluster.close()
process.stdout.write(
  JSON.stringify({
    acknowledged: first.acknowledged.length,
    lost: [...first.acknowledged, after.id].filter((id) => !stored.has(id)).length,
    codes: [...new Set(first.codes)],
    whileFull,
    withRoom,
    problems: report.problems,
  }),
)
