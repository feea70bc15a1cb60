import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { probeNsjail } from './probe-nsjail.ts'

let directory: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nsjail-probe-'))
  await chmod(directory, 0o755)
})

afterAll(async () => {
  await rm(directory, { recursive: true })
})

describe('the search for nsjail', () => {
  test('says what is missing and how to get it', async () => {
    expect(await probeNsjail('/nowhere/nsjail')).toEqual({
      ok: false,
      reason: 'there is no program /nowhere/nsjail',
      remedy:
        'build nsjail 3.1 or later from its public source (google/nsjail), or set sandbox.nsjailPath to where it is',
    })
  })

  test('refuses a program that only pretends: no jail was made', async () => {
    for (const path of ['/usr/bin/true', '/usr/bin/false'])
      expect(await probeNsjail(path)).toMatchObject({
        ok: false,
        reason: `${path} made no jail and said nothing of it`,
      })
  })

  test('refuses one that is set-user-id', async () => {
    const path = join(directory, 'nsjail')
    await writeFile(path, '')
    await chmod(path, 0o4755)
    expect(await probeNsjail(path)).toMatchObject({ ok: false, reason: `${path} is set-user-id or set-group-id` })
  })

  test('passes on what an nsjail says that does not know a field', async () => {
    const path = join(directory, 'old-nsjail')
    const complaint = 'Message type "nsjail.NsJailConfig" has no field named "rlimit_memlock".'
    await writeFile(path, `#!/usr/bin/python3 -IS\nimport os\nos.write(2, b'''${complaint}''')\nos._exit(255)\n`)
    await chmod(path, 0o755)
    const probe = await probeNsjail(path)
    expect(probe).toMatchObject({ ok: false, reason: complaint })
    expect(probe.ok ? '' : probe.remedy).toContain('nsjail 3.1 or later')
  })
})
