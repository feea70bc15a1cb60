import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, it } from 'vitest'
import { systemClock } from '../../src/kernel/index.ts'
import { openStorage } from '../../src/storage/index.ts'
import { decisionDraft } from '../support/record-drafts.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

it('leaves no erased key in a file of the data directory', async () => {
  const dataDirectory = join(temporaryDirectory(), 'data')
  const storage = await openStorage({ dataDirectory, clock: systemClock })
  await storage.decisionLog.append(decisionDraft({ principal: 'demo/ada', effect: 'deny' }))
  await storage.decisionLog.append(decisionDraft({ principal: 'demo/bob', effect: 'deny' }))
  const [ada, bob] = [keyOf(dataDirectory, 'demo/ada'), keyOf(dataDirectory, 'demo/bob')]
  expect(isInFile(dataDirectory, ada)).toBe(true)
  await storage.keeper.erase({ subject: 'demo/ada', by: 'operator', call: 'c' })
  expect(isInFile(dataDirectory, ada)).toBe(false)
  expect(isInFile(dataDirectory, bob)).toBe(true)
  await storage.close()
})

function isInFile(dataDirectory: string, key: Uint8Array): boolean {
  const files = readdirSync(dataDirectory).filter((name) => name.startsWith('audit.db'))
  return files.some((name) => readFileSync(join(dataDirectory, name)).includes(Buffer.from(key)))
}

function keyOf(dataDirectory: string, subject: string): Uint8Array {
  const database = new DatabaseSync(join(dataDirectory, 'audit.db'), { readOnly: true })
  const row = database.prepare('SELECT wrapped FROM data_keys WHERE subject = ?').get(subject)
  database.close()
  return row?.['wrapped'] as Uint8Array
}
