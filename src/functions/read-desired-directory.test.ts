import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { desiredStateBounds } from './desired-state.ts'
import { readDesiredDirectory } from './read-desired-directory.ts'

let directory = ''
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'desired-'))
  await mkdir(join(directory, 'services/leads'), { recursive: true })
  await writeFile(join(directory, 'namespace.yaml'), 'namespace: demo\n')
})
afterEach(() => rm(directory, { recursive: true }))

async function problems(): Promise<string[]> {
  const read = await readDesiredDirectory(directory)
  return read.ok ? [] : read.problems.map(({ file, message }) => `${file}: ${message}`)
}

describe('readDesiredDirectory', () => {
  it('gives text as text, other bytes as base64, and leaves out hidden files and what tools leave behind', async () => {
    await writeFile(join(directory, 'services/leads/logo.bin'), Buffer.from([0xff, 0x00, 0xfe]))
    await mkdir(join(directory, '.git'))
    await writeFile(join(directory, '.git/config'), 'secret')
    await mkdir(join(directory, 'services/leads/__pycache__'))
    await writeFile(join(directory, 'services/leads/__pycache__/top.pyc'), 'x')
    expect(await readDesiredDirectory(directory)).toEqual({
      ok: true,
      state: {
        files: [
          { path: 'namespace.yaml', text: 'namespace: demo\n' },
          { path: 'services/leads/logo.bin', base64: '/wD+' },
        ],
      },
    })
  })

  it('refuses a symbolic link to a file outside, and reads the same content as a file (I8)', async () => {
    await symlink('/etc/passwd', join(directory, 'services/leads/data.txt'))
    expect(await problems()).toEqual(['services/leads/data.txt: symbolic links are not followed'])
    await rm(join(directory, 'services/leads/data.txt'))
    await writeFile(join(directory, 'services/leads/data.txt'), 'root:x:0:0')
    expect(await problems()).toEqual([])
  })

  it('refuses a symbolic link to a folder outside (I8)', async () => {
    await symlink('/etc', join(directory, 'services/etc'))
    expect(await problems()).toEqual(['services/etc: symbolic links are not followed'])
  })

  it('refuses a pipe without waiting for a writer', async () => {
    execFileSync('mkfifo', [join(directory, 'services/leads/pipe')])
    expect(await problems()).toEqual(['services/leads/pipe: only regular files can be applied'])
  })

  it('refuses a huge file without reading it', async () => {
    const path = join(directory, 'services/leads/huge.csv')
    await writeFile(path, '')
    await truncate(path, 50 * 1024 ** 3)
    expect(await problems()).toEqual([
      `services/leads/huge.csv: the file is ${50 * 1024 ** 3} bytes; at most ${desiredStateBounds.fileBytes} are taken`,
    ])
  })

  it('tells every problem at once', async () => {
    await symlink('/etc/passwd', join(directory, 'a.txt'))
    await writeFile(join(directory, 'b c.txt'), '')
    expect((await problems()).length).toBe(2)
  })

  it('says so when there is no such directory', async () => {
    const read = await readDesiredDirectory(join(directory, 'nowhere'))
    expect(read).toMatchObject({ ok: false, problems: [{ message: 'there is no such directory' }] })
  })
})
