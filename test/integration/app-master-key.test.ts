import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { verifyDataDirectory } from '../../src/app/index.ts'
import { startTestApp } from '../support/running-app.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

it('keeps a data directory under the master key that it was given, and opens it under no other', async () => {
  const dataDirectory = join(temporaryDirectory(), 'data')
  const masterKey = Buffer.alloc(32, 7).toString('base64url')
  const other = Buffer.alloc(32, 8).toString('base64url')
  const first = await startTestApp({ dataDirectory, settings: { 'storage.masterKey': masterKey } })
  await first.apply('demo', { 'namespace.yaml': 'namespace: demo\n' })
  await first.close()
  expect(existsSync(join(dataDirectory, 'master.key'))).toBe(false)
  for (const settings of [{ 'storage.masterKey': other }, {}])
    await expect(startTestApp({ dataDirectory, settings })).rejects.toMatchObject({ code: 'storage_unavailable' })
  const verify = (key: string | null) => verifyDataDirectory(dataDirectory, () => {}, {}, { masterKey: key })
  expect((await verify(masterKey)).json).toMatchObject({ ok: true })
  expect((await verify(other)).ok).toBe(false)
  const again = await startTestApp({ dataDirectory, settings: { 'storage.masterKey': masterKey } })
  await again.close()
})
