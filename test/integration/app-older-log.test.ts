import { cpSync, existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { startTestApp } from '../support/running-app.ts'
import { mcpworks } from '../support/server-process.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

it('does not start on a log that was put back, but with a word of the operator, which is on record with both checkpoints', async () => {
  const dataDirectory = join(temporaryDirectory(), 'data')
  const kept = temporaryDirectory()
  const files = ['audit.db', 'audit.db-wal', 'audit.db-shm']
  await (await startTestApp({ dataDirectory })).close()
  for (const file of files.filter((name) => existsSync(join(dataDirectory, name))))
    cpSync(join(dataDirectory, file), join(kept, file))
  const second = await startTestApp({ dataDirectory })
  await second.manage('platform', 'platform.doctor', {})
  await second.close()
  for (const file of files) rmSync(join(dataDirectory, file), { force: true })
  cpSync(kept, dataDirectory, { recursive: true })

  // What a look at the machine says before the start.
  const looked = await mcpworks(['--json', '--data-directory', dataDirectory, 'doctor'])
  const { checks } = JSON.parse(looked.stdout) as { checks: { id: string; ok: boolean; detail: string }[] }
  expect(checks.find(({ id }) => id === 'decision log as seen before')).toMatchObject({
    ok: false,
    detail: expect.stringContaining('the log was put back'),
  })
  await expect(startTestApp({ dataDirectory })).rejects.toMatchObject({
    code: 'storage_unavailable',
    message: expect.stringMatching(/^The decision log is not the one that this server has seen.*--accept-older-log/),
  })

  const third = await startTestApp({ dataDirectory, acceptOlderLog: true })
  onTestFinished(() => third.close())
  const read = { namespace: 'platform', kind: 'alarm', limit: 100 }
  const { records } = await third.manage('platform', 'audit.tail', read)
  expect(records).toMatchObject([
    {
      record: {
        event: {
          type: 'log-conflict',
          where: 'audit.seen',
          problem: expect.stringContaining('the log was put back'),
          ours: expect.stringContaining('/platform/'),
          theirs: expect.stringContaining('/platform/'),
        },
      },
    },
  ])
})
