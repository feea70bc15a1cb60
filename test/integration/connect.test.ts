import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startTestApp, type TestApp } from '../support/running-app.ts'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

let test: TestApp
let key: string
let home: string
let project: string

beforeAll(async () => {
  test = await startTestApp()
  await test.apply('demo', {
    'namespace.yaml': 'namespace: demo\nagents:\n  - name: writer\n',
    'policies/demo.cedar': 'permit (principal == Agent::"demo/writer", action == Action::"call", resource);',
    'services/math/add.py':
      'def add(a: int, b: int) -> int:\n    """Adds two numbers.\n\n    Args:\n        a: the first\n        b: the second\n    """\n    return a + b\n',
  })
  key = await test.key('demo', 'writer')
})
afterAll(() => test.close())
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'mcpworks-home-'))
  project = await mkdtemp(join(tmpdir(), 'mcpworks-project-'))
  return async () => {
    for (const directory of [home, project]) await rm(directory, { recursive: true, force: true })
  }
})

/** Types `mcpworks connect ...` with nobody at the terminal. */
function connect(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: home,
    MCPWORKS_AGENT_KEY: key,
    MCPWORKS_DATA_DIRECTORY: test.dataDirectory,
  }
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [main, 'connect', ...args],
      { cwd: project, env },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    )
    child.stdin?.end()
  })
}

describe('mcpworks connect', () => {
  it('takes nothing out of a file that is not there, and makes none', async () => {
    const { code, stdout } = await connect('codex', '-n', 'demo', '--remove', '--yes')
    expect(stdout).toMatch(/nothing to change/)
    expect(code).toBe(0)
    expect(existsSync(join(home, '.codex'))).toBe(false)
  })

  it('writes a file by which an MCP client reaches the namespace and calls a tool', async () => {
    const { code, stderr } = await connect('json', '-n', 'demo', '--key-in-file', '--yes')
    expect(stderr).toContain('The file holds the API key')
    expect(code).toBe(0)
    const path = join(project, 'mcp.json')
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    const written = JSON.parse(await readFile(path, 'utf8')) as {
      mcpServers: Record<string, { url: string; headers: Record<string, string> }>
    }
    const entry = written.mcpServers['mcpworks-demo']
    expect(entry?.url).toBe(`${test.app.url}/mcp/demo`)
    const client = new Client({ name: 'test', version: '1' })
    await client.connect(
      new StreamableHTTPClientTransport(new URL(entry?.url ?? ''), { requestInit: { headers: entry?.headers ?? {} } }),
    )
    expect(await client.callTool({ name: 'math-add', arguments: { a: 1, b: 2 } })).toMatchObject({
      structuredContent: { result: 3 },
    })
    await client.close()
  })

  it('writes nothing unless somebody agrees, and shows what it would write', async () => {
    const asked = await connect('cursor', '-n', 'demo')
    expect(asked).toMatchObject({ code: 1, stderr: expect.stringContaining('+    "mcpworks-demo": {') })
    expect(asked.stderr).toContain('Nothing was changed.')
    const dry = await connect('cursor', '-n', 'demo', '--dry-run')
    expect(dry).toMatchObject({ code: 0, stdout: expect.stringContaining('+++ ') })
    await expect(stat(join(home, '.cursor'))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('says that nothing is to change when it is typed again', async () => {
    expect(await connect('claude-code', '-n', 'demo', '--scope', 'project', '--yes')).toMatchObject({ code: 0 })
    const path = join(project, '.mcp.json')
    const text = await readFile(path, 'utf8')
    expect(await connect('claude-code', '-n', 'demo', '--scope', 'project', '--yes')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('nothing to change'),
    })
    expect(await readFile(path, 'utf8')).toBe(text)
  })

  it('tells what a client without a document of its own needs, and nothing of the kind where it has one', async () => {
    const gemini = await connect('gemini', '-n', 'demo', '--yes')
    expect(gemini.stderr).toMatch(/wants to register itself.*auth\.server\.registration to loopback/)
    const claude = await connect('claude-code', '-n', 'demo', '--yes')
    expect(claude.stderr).not.toContain('register')
    expect(claude.stderr).toContain('/mcp, then mcpworks-demo, then Authenticate.')
  })

  it('leaves an entry of that name that leads elsewhere, unless it is told to replace it', async () => {
    const path = join(project, '.mcp.json')
    const theirs = '{"mcpServers": {"mcpworks-demo": {"command": "something"}}}'
    await writeFile(path, theirs)
    const refused = await connect('claude-code', '-n', 'demo', '--scope', 'project', '--yes')
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('leads to something') })
    expect(await readFile(path, 'utf8')).toBe(theirs)
    expect(await connect('claude-code', '-n', 'demo', '--scope', 'project', '--yes', '--replace')).toMatchObject({
      code: 0,
    })
    expect(await readFile(path, 'utf8')).toContain(`${test.app.url}/mcp/demo`)
  })

  it('names the place of a mistake in the file and leaves it', async () => {
    const path = join(project, '.mcp.json')
    await writeFile(path, '{\n  "a" 1\n}')
    expect(await connect('claude-code', '-n', 'demo', '--scope', 'project', '--yes')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/\.mcp\.json:2:7: colon expected\. The file was left as it is\./),
    })
    expect(await readFile(path, 'utf8')).toBe('{\n  "a" 1\n}')
  })

  it('takes no key as an argument and shows none', async () => {
    const typed = await connect('cursor', '-n', 'demo', '--api-key', key, '--yes')
    expect(typed).toMatchObject({ code: 2, stderr: expect.stringContaining('never a key itself') })
    const written = await connect('cursor', '-n', 'demo', '--key-in-file', '--yes', '--json')
    expect(JSON.parse(written.stdout)).toMatchObject({ client: 'cursor', changed: true })
    const secret = key.slice(18)
    for (const { stdout, stderr } of [typed, written]) expect(`${stdout}${stderr}`).not.toContain(secret)
    expect(await readFile(join(home, '.cursor', 'mcp.json'), 'utf8')).toContain(secret)
  })
})
