// Fills a real file system of 6 MiB until the log refuses, makes room, and says as JSON what happened.
// Runs in a mount namespace of its own, where it may mount. Argument: an empty directory to mount on.
import { execFileSync } from 'node:child_process'
import { rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { verifyDecisionLog } from '../../src/audit/index.ts'
import { McpworksError, systemClock } from '../../src/kernel/index.ts'
import { openAuditReader, openStorage } from '../../src/storage/index.ts'
import { decisionDraft } from './record-drafts.ts'

const [mountPoint = ''] = process.argv.slice(2)
execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=6m,mode=0700', 'tmpfs', mountPoint])
const ballast = join(mountPoint, 'ballast')
writeFileSync(ballast, Buffer.alloc(3 * 2 ** 20))
const dataDirectory = join(mountPoint, 'data')
const storage = await openStorage({ dataDirectory, clock: systemClock })
const { decisionLog } = storage

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
    if (refused.length > 0)
      return { acknowledged, good: good.length, codes: refused.map(({ reason }) => reason.code as string) }
  }
}

const first = await fill()
const { bfree, bsize } = statfsSync(mountPoint)
const whileFull = decisionLog.health()
const stillFull = await decisionLog.recheck()
const refusedAtOnce = await decisionLog.append(decisionDraft()).then(
  () => 'taken',
  (error: unknown) => (error instanceof McpworksError ? error.code : 'another error'),
)
rmSync(ballast)
const withRoom = await decisionLog.recheck()
const after = await decisionLog.append(decisionDraft({ effect: 'deny' }))
const reader = openAuditReader({ dataDirectory })
const report = await verifyDecisionLog({ reader })
const rows = await reader.records(0, 100_000)
await reader.close()
await storage.close()
const stored = new Set(rows.map(({ id }) => id))
process.stdout.write(
  JSON.stringify({
    acknowledged: first.acknowledged.length,
    lost: [...first.acknowledged, after.id].filter((id) => !stored.has(id)).length,
    stored: stored.size,
    lastGroup: { good: first.good, codes: [...new Set(first.codes)] },
    freeBytesWhenRefused: bfree * bsize,
    whileFull,
    stillFull,
    refusedAtOnce,
    withRoom,
    verified: report.ok,
  }),
)
