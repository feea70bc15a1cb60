import { expect, it } from 'vitest'
import type { PostgresLog } from '../../src/storage/index.ts'
import { postgresLogPlace } from '../support/postgres-log-place.ts'
import { decisionDraft, outcomeDraft } from '../support/record-drafts.ts'

async function call({ decisionLog }: PostgresLog, namespace: string): Promise<void> {
  const draft = decisionDraft({ namespace })
  await decisionLog.append(draft)
  await decisionLog.append(outcomeDraft(draft))
}

it('changes the key while another writer appends and makes namespaces, and signs on with the new one', async () => {
  const place = await postgresLogPlace()
  const one = await place.open()
  await call(one, 'main')
  // Now it orders the log, and whoever does not is refused the change, and nothing else.
  await one.decisionLog.read({ namespace: null, limit: 1 })
  const other = await place.open()
  await expect(other.logKey.rotate()).rejects.toMatchObject({
    code: 'audit_unavailable',
    message: expect.stringMatching(/^Nothing was changed: another server .*try again/),
  })
  expect(other.decisionLog.health()).toEqual({ ok: true })
  const calls = Array.from({ length: 60 }, (_, at) => call(at % 2 === 0 ? one : other, at < 40 ? 'main' : `ns-${at}`))
  const rotation = await one.logKey.rotate()
  await Promise.all(calls)
  expect(await place.verify()).toMatchObject({ ok: true, problems: [] })
  expect(await place.verify({ publicKeyLine: rotation.previous })).toMatchObject({ ok: true })
  await one.close()
  await call(other, 'later')
  // Once the database knows that the first one is gone.
  const rotated = { number: 0, previous: '', next: '' }
  const rotate = async () => Object.assign(rotated, await other.logKey.rotate()).number
  await expect.poll(() => rotate().catch(() => 0)).toBe(2)
  expect(rotated.previous).toBe(rotation.next)
  await call(other, 'main')
  await other.close()
  expect(await place.verify({ publicKeyLine: rotation.previous })).toMatchObject({ ok: true, problems: [] })
  expect(await place.verify({ publicKeyLine: rotation.next })).toMatchObject({ ok: true, problems: [] })
})
