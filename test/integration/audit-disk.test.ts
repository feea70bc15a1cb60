import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { verifyDecisionLog } from '../../src/audit/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { openAuditReader, openStorage } from '../../src/storage/index.ts'
import { decisionDraft } from '../support/record-drafts.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

/** Runs a script where it may mount: in a mount namespace, as root there even if this user is not. */
function runWithMounts(script: string) {
  const path = fileURLToPath(new URL(`../support/${script}`, import.meta.url))
  const rights = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user']
  const output = execFileSync('unshare', [...rights, '--mount', '--', process.execPath, path, temporaryDirectory()], {
    encoding: 'utf8',
  })
  return JSON.parse(output)
}

describe('the decision log on a bad disk', () => {
  it('refuses every append while the disk is full, loses nothing, and goes on when there is room', () => {
    const outcome = runWithMounts('audit-on-small-disk.ts')
    expect(outcome).toMatchObject({
      lost: 0,
      lastGroup: { codes: ['audit_unavailable'] },
      whileFull: { ok: false, reason: 'the disk is full' },
      stillFull: { ok: false, reason: 'the disk is full' },
      refusedAtOnce: 'audit_unavailable',
      withRoom: { ok: true },
      verified: true,
    })
    // What goes to the writer at once (the first alone, then 16, then the rest of 32) is recorded or refused as a whole.
    expect([0, 1, 17]).toContain(outcome.lastGroup.good)
    expect(outcome.acknowledged).toBeGreaterThan(100)
    expect(outcome.stored).toBe(outcome.acknowledged + 1)
    expect(outcome.freeBytesWhenRefused).toBeLessThan(262_144)
  })

  it('keeps lines for others waiting while the disk is full, and has each once when there is room', () => {
    const outcome = runWithMounts('audit-lines-on-small-disk.ts')
    const full = { status: 'refused', reason: 'there is no room on the disk (ENOSPC)', retryAfterMs: 0 }
    expect(outcome).toMatchObject({ whileFull: full, again: full, withRoom: { status: 'taken' }, same: true })
    expect(outcome.number).toBeGreaterThan(10)
  })

  it('refuses to start on a read-only file system with a sentence that says so, and starts when it is writable again', () => {
    expect(runWithMounts('audit-on-read-only-disk.ts')).toMatchObject({
      writable: { index: 0 },
      readOnly: { code: 'storage_unavailable', message: expect.stringMatching(/data directory.*writable/) },
      again: { index: 1 },
    })
  })

  it('treats its own upper bound as a full disk', async () => {
    const dataDirectory = join(temporaryDirectory(), 'data')
    const bounded = await openStorage({ dataDirectory, clock: systemClock, auditMaxPages: 300 })
    let acknowledged = 0
    let refusal: unknown = null
    while (refusal === null) {
      const settled = await Promise.allSettled(
        Array.from({ length: 8 }, () => bounded.decisionLog.append(decisionDraft({ effect: 'deny' }))),
      )
      acknowledged += settled.filter(({ status }) => status === 'fulfilled').length
      refusal = settled.find((result) => result.status === 'rejected')?.reason ?? null
    }
    expect(refusal).toMatchObject({ code: 'audit_unavailable' })
    expect(bounded.decisionLog.health()).toEqual({ ok: false, reason: 'the disk is full' })
    // State is another file: who may call what can still be changed.
    await bounded.namespaces.insert({ name: 'demo', createdAtMs: 1, createdBy: 'owner' })
    await bounded.close()
    const unbounded = await openStorage({ dataDirectory, clock: systemClock })
    expect(await unbounded.decisionLog.append(decisionDraft())).toMatchObject({ index: acknowledged })
    await unbounded.close()
    const reader = openAuditReader({ dataDirectory })
    expect(await verifyDecisionLog({ reader })).toMatchObject({ ok: true, records: { checked: acknowledged + 1 } })
    await reader.close()
  })
})
