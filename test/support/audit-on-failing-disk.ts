// Appends groups while the system's sync calls are made to fail from outside, until the log has refused and has taken
// records again. Says as JSON what happened. Argument: data directory.
import { writeSync } from 'node:fs'
import { verifyDecisionLog } from '../../src/audit/index.ts'
import { McpworksError, systemClock } from '../../src/kernel/index.ts'
import { openAuditReader, openStorage } from '../../src/storage/index.ts'
import { decisionDraft } from './record-drafts.ts'

const [dataDirectory = ''] = process.argv.slice(2)
const storage = await openStorage({ dataDirectory, clock: systemClock })
const { decisionLog } = storage
const acknowledged: string[] = []
const codes = new Set<string>()
const reasons = new Set<string>()
let mixedGroups = 0

async function appendGroup(): Promise<boolean> {
  const drafts = Array.from({ length: 8 }, () => decisionDraft({ effect: 'deny' }))
  const settled = await Promise.allSettled(drafts.map((draft) => decisionLog.append(draft)))
  const good = settled.filter((result) => result.status === 'fulfilled')
  acknowledged.push(...good.map(({ value }) => value.id))
  for (const result of settled) {
    if (result.status === 'rejected') codes.add(result.reason instanceof McpworksError ? result.reason.code : 'other')
  }
  if (good.length > 0 && good.length < settled.length) mixedGroups += 1
  return good.length === settled.length
}

while (await appendGroup());
for (let health = decisionLog.health(); !health.ok; health = await decisionLog.recheck()) reasons.add(health.reason)
for (let group = 0; group < 5; group++) await appendGroup()
await storage.close()
const reader = openAuditReader({ dataDirectory })
const report = await verifyDecisionLog({ reader })
const stored = new Set((await reader.records(0, 100_000)).map(({ id }) => id))
await reader.close()
const lost = acknowledged.filter((id) => !stored.has(id)).length
const outcome = {
  acknowledged: acknowledged.length,
  lost,
  mixedGroups,
  codes: [...codes],
  reasons: [...reasons],
  verified: report.ok,
}
writeSync(1, JSON.stringify(outcome))
