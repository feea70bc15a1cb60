import { chmod, mkdir, mkdtemp, readdir, readFile, realpath, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { readConfigFile, replaceConfigFile } from './config-file.ts'

let directory: string
let home: string
beforeEach(async () => {
  directory = await realpath(await mkdtemp(join(tmpdir(), 'mcpworks-connect-')))
  home = join(directory, 'home')
  await mkdir(join(directory, 'elsewhere'))
  await mkdir(home)
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const at = (name: string) => ({ path: join(home, name), root: home })
const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777

it('makes a file and its directories', async () => {
  const file = await readConfigFile(at('.client/mcp.json'), false)
  expect(file).toMatchObject({ text: null, target: join(home, '.client/mcp.json') })
  await replaceConfigFile(file, '{}\n', false)
  expect(await readFile(file.path, 'utf8')).toBe('{}\n')
  expect(await modeOf(file.path)).toBe(0o644)
})

it('keeps the mode of a file, and takes it from everybody else where it gets a secret', async () => {
  await writeFile(join(home, 'a'), 'old')
  await chmod(join(home, 'a'), 0o640)
  await replaceConfigFile(await readConfigFile(at('a'), false), 'new', false)
  expect(await modeOf(join(home, 'a'))).toBe(0o640)
  await replaceConfigFile(await readConfigFile(at('a'), false), 'secret', true)
  expect(await modeOf(join(home, 'a'))).toBe(0o600)
  await replaceConfigFile(await readConfigFile(at('b'), false), 'secret', true)
  expect(await modeOf(join(home, 'b'))).toBe(0o600)
  expect((await readdir(home)).sort()).toEqual(['a', 'b'])
})

it('writes through a link that stays inside, and leaves the link', async () => {
  await writeFile(join(home, 'real'), 'old')
  await symlink('real', join(home, 'link'))
  const file = await readConfigFile(at('link'), false)
  await replaceConfigFile(file, 'new', false)
  expect(file.target).toBe(join(home, 'real'))
  expect(await readFile(join(home, 'real'), 'utf8')).toBe('new')
  expect(await realpath(join(home, 'link'))).toBe(join(home, 'real'))
})

it.each([
  ['the file', 'link', '../elsewhere/file'],
  ['a directory above it', 'link/deep/file', '../elsewhere'],
])('refuses a link of %s that leads out, unless it is told to follow it', async (_, name, to) => {
  await writeFile(join(directory, 'elsewhere/file'), 'theirs')
  await symlink(to, join(home, 'link'))
  await expect(readConfigFile(at(name), false)).rejects.toThrow(/leads to .*elsewhere.*left as it is/)
  const file = await readConfigFile(at(name), true)
  expect(file.target.startsWith(join(directory, 'elsewhere'))).toBe(true)
})

it('refuses a link that leads nowhere', async () => {
  await symlink('nowhere', join(home, 'link'))
  await expect(readConfigFile(at('link'), false)).rejects.toThrow(/leads nowhere/)
})

it('refuses what is read-only, no file or not UTF-8', async () => {
  await writeFile(join(home, 'read-only'), 'x')
  await chmod(join(home, 'read-only'), 0o444)
  await expect(readConfigFile(at('read-only'), false)).rejects.toThrow(/is read-only\. It was left as it is\./)
  await mkdir(join(home, 'directory'))
  await expect(readConfigFile(at('directory'), false)).rejects.toThrow(/is not a file/)
  await writeFile(join(home, 'bytes'), Uint8Array.of(0x7b, 0xff, 0x7d))
  await expect(readConfigFile(at('bytes'), false)).rejects.toThrow(/is not UTF-8/)
})

it('does not write over what another program wrote meanwhile', async () => {
  await writeFile(join(home, 'a'), 'old')
  const file = await readConfigFile(at('a'), false)
  await writeFile(join(home, 'a'), 'theirs')
  await expect(replaceConfigFile(file, 'ours', false)).rejects.toThrow(/changed by another program meanwhile/)
  expect(await readFile(join(home, 'a'), 'utf8')).toBe('theirs')
  expect(await readdir(home)).toEqual(['a'])
})
