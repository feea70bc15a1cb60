import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { verifyDataDirectory } from '../../src/app/index.ts'
import { hostMounts } from '../support/host-mounts.ts'
import { jailProcesses } from '../support/jail-processes.ts'
import { until } from '../support/own-groups.ts'
import { mcp, toolResult } from '../support/running-app.ts'
import { demoKey, mcpworks, startServerProcess } from '../support/server-process.ts'

let base: string
let data: string

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'mcpworks-faults-'))
  data = join(base, 'data')
})
afterEach(() => rmSync(base, { recursive: true, force: true }))

const top = (n: number) => ({ name: 'leads-top', arguments: { n } })

describe('a server', () => {
  it('refuses a data directory that another server uses, and leaves that one alone', async () => {
    await using server = await startServerProcess(data, ['--no-demo'])
    const second = await mcpworks(['--data-directory', data, 'up', '--port', '0'])
    expect(second.code).toBe(1)
    expect(second.stderr).toMatch(/Another server/)
    expect(second.stderr).not.toMatch(/\n\s+at /)
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200)
  })

  it('stops at Ctrl-C with everything that it started, and finds its state again', async () => {
    const mountsBefore = hostMounts()
    const first = await startServerProcess(data)
    const key = demoKey(first, 'analyst')
    expect(toolResult((await mcp(first.url, key, 'demo', 'tools/call', top(3))).message).text).toContain('company')
    const children = childrenOf(first.child.pid ?? 0)
    expect(children.length).toBeGreaterThan(0)
    // A terminal's Ctrl-C can arrive twice: from the terminal and from npm.
    first.child.kill('SIGINT')
    expect(await first.stop('SIGINT')).toBe(0)
    expect(children.filter(isAlive)).toEqual([])
    expect(hostMounts()).toEqual(mountsBefore)
    await using second = await startServerProcess(data)
    expect(second.started.demo).toBeNull()
    expect(toolResult((await mcp(second.url, key, 'demo', 'tools/call', top(3))).message).text).toContain('company')
  })

  it('killed at any moment loses no acknowledged call, and says which calls it did not finish', async () => {
    let key = ''
    let acknowledged: string[] = []
    for (const delay of [20, 80]) {
      const server = await startServerProcess(data)
      if (key === '') key = demoKey(server, 'analyst')
      let answered = 0
      let calling = true
      const wanted = Promise.withResolvers<void>()
      const callers = Array.from({ length: 4 }, async () => {
        while (calling) {
          try {
            const { message } = await mcp(server.url, key, 'demo', 'tools/call', top(1))
            acknowledged.push(toolResult(message).call)
            answered += 1
            if (answered >= delay) wanted.resolve()
          } catch {
            return
          }
        }
      })
      await wanted.promise
      await server.stop('SIGKILL')
      calling = false
      await Promise.all(callers)
    }
    await using last = await startServerProcess(data)
    expect(last.url).toMatch(/^http/)
    const rows = recordsOf(data)
    const outcomes = new Set(rows.filter((row) => row.kind === 'outcome').map((row) => row.call))
    acknowledged = acknowledged.filter((call) => call !== 'undefined')
    expect(acknowledged.length).toBeGreaterThan(90)
    expect(acknowledged.filter((call) => !outcomes.has(call))).toEqual([])
    const closed = new Set(
      rows.filter((row) => row.kind === 'outcome' || row.kind === 'abandoned').map((row) => row.call),
    )
    const allowed = rows.filter((row) => row.kind === 'decision' && row.json.includes('"effect":"allow"'))
    expect(allowed.filter((row) => !closed.has(row.call))).toEqual([])
    expect(rows.some((row) => row.kind === 'abandoned')).toBe(true)
    expect((await verifyDataDirectory(data, () => {})).text).toMatch(/^OK/)
  })

  it('takes its sandbox with it when it is killed', async () => {
    const server = await startServerProcess(data, ['--no-demo'])
    const children = childrenOf(server.child.pid ?? 0)
    expect(children.length).toBeGreaterThan(0)
    await server.stop('SIGKILL')
    await Promise.all(children.map(endOf))
    expect(children.filter(isAlive)).toEqual([])
  })

  it('survives the loss of its executor: the running call ends as killed, and later calls get a new one', async () => {
    const metricsToken = 'a-token-of-more-than-thirty-two-characters'
    const env = { MCPWORKS_SANDBOX_WAITING_JAILS: '0', MCPWORKS_EXPORTERS_METRICS_TOKEN: metricsToken }
    await using server = await startServerProcess(data, ['--no-demo'], env)
    writeSlow(join(base, 'slow'))
    expect(await mcpworks(['--data-directory', data, 'apply', '-f', join(base, 'slow')])).toMatchObject({ code: 0 })
    const made = await mcpworks(['--data-directory', data, 'key', 'create', 'waiter', '-n', 'slow'])
    const key = made.stdout.trim()
    const running = mcp(server.url, key, 'slow', 'tools/call', { name: 'slow-wait', arguments: {} })
    const [executor = 0] = childrenOf(server.child.pid ?? 0)
    await until(() => jailProcesses().length > 0)
    process.kill(executor, 'SIGKILL')
    expect(toolResult((await running).message)).toMatchObject({ isError: true, text: expect.stringMatching(/lost/) })
    await untilHealthy(server.url)
    const after = await mcp(server.url, key, 'slow', 'tools/call', { name: 'slow-quick', arguments: {} })
    expect(toolResult(after.message).text).toBe('1')
    const told = server
      .stderr()
      .split('\n')
      .filter((line) => line.includes('sandbox executor'))
    expect(told).toEqual([expect.stringContaining('lost (ended by SIGKILL)'), expect.stringContaining('up again')])
    const { stdout } = await mcpworks(['--data-directory', data, 'doctor'])
    expect(stdout).toMatch(/its executor was lost once since the start, last at \S+Z \(ended by SIGKILL\)/)
    const scraped = await fetch(`${server.url}/metrics`, { headers: { authorization: `Bearer ${metricsToken}` } })
    expect(await scraped.text()).toMatch(/mcpworks_sandbox_up 1\n[^]*mcpworks_sandbox_executor_losses_total 1\n/)
  })

  it('runs nothing while the disk is full, says so at /healthz and at the command line, and goes on when there is room', async () => {
    const disk = join(base, 'disk')
    mkdirSync(disk)
    mount(disk)
    try {
      const full = join(disk, 'data')
      await using server = await startServerProcess(full)
      const key = demoKey(server, 'analyst')
      expect(toolResult((await mcp(server.url, key, 'demo', 'tools/call', top(1))).message).text).toContain('company')
      spawnSync('dd', ['if=/dev/zero', `of=${join(disk, 'filler')}`, 'bs=4k'])
      const refused = await untilRefused(() => mcp(server.url, key, 'demo', 'tools/call', top(1)))
      expect(JSON.stringify(refused.message)).toMatch(/decision log cannot be written/)
      const health = await fetch(`${server.url}/healthz`)
      expect(health.status).toBe(503)
      expect(await health.json()).toEqual({ ok: false, refusing: ['decision-log'] })
      const command = await mcpworks(['--data-directory', full, 'agent', 'list', '-n', 'demo'])
      expect(command.code).toBe(1)
      expect(command.stderr).toMatch(/decision log cannot be written/)
      rmSync(join(disk, 'filler'))
      await untilHealthy(server.url)
      expect(toolResult((await mcp(server.url, key, 'demo', 'tools/call', top(1))).message).text).toContain('company')
      expect((await verifyDataDirectory(full, () => {})).text).toMatch(/^OK/)
    } finally {
      asRoot('umount', disk)
    }
  })

  it('does not start on a data directory that it cannot write, and says what is wrong', async () => {
    writeFileSync(join(base, 'file'), '')
    const result = await mcpworks(['--data-directory', join(base, 'file', 'data'), 'up', '--port', '0'])
    expect(result.code).toBe(1)
    expect(result.stderr).toMatch(/data directory|cannot/i)
    expect(result.stderr).not.toMatch(/\n\s+at /)
  })

  it('does not start with a mistake in the configuration, and names every one', async () => {
    const file = join(base, 'bad.yaml')
    writeFileSync(file, 'http:\n  prot: 1\n  maxBodyBytes: many\n')
    const result = await mcpworks(['--config', file, '--data-directory', data, 'up'])
    expect(result.code).toBe(2)
    expect(result.stderr).toMatch(/http\.prot: .*\n.*did you mean http\.port/)
    expect(result.stderr).toContain('http.maxBodyBytes')
  })
})

describe('one changed byte', () => {
  it('in a record makes verify fail and name it; the untouched copy passes', async () => {
    const server = await startServerProcess(data)
    await mcp(server.url, demoKey(server, 'analyst'), 'demo', 'tools/call', top(2))
    await server.stop('SIGTERM')
    const good = await mcpworks(['--data-directory', data, 'audit', 'verify'])
    expect(good).toMatchObject({ code: 0, stdout: expect.stringMatching(/^OK/) })
    const key = readFileSync(join(data, 'audit.pub'), 'utf8')
    writeFileSync(join(base, 'given.pub'), key)
    writeFileSync(join(base, 'other.pub'), key.replace(/[A-Za-z0-9+/]{8}=*\s*$/, 'AAAAAAA='))
    const verifyWith = (file: string) =>
      mcpworks(['--data-directory', data, 'audit', 'verify', '--public-key', join(base, file)])
    expect((await verifyWith('given.pub')).code).toBe(0)
    expect((await verifyWith('other.pub')).code).toBe(1)
    const database = new DatabaseSync(join(data, 'audit.db'))
    const row = database
      .prepare(
        "SELECT seq, json FROM records WHERE kind = 'decision' AND json LIKE '%leads-top%' ORDER BY seq DESC LIMIT 1",
      )
      .get()
    database
      .prepare('UPDATE records SET json = ? WHERE seq = ?')
      .run(String(row?.json).replace('leads-top', 'leads-tap'), Number(row?.seq))
    database.close()
    const bad = await mcpworks(['--data-directory', data, 'audit', 'verify'])
    expect(bad.code).toBe(1)
    expect(bad.stdout).toMatch(/^TAMPERED/)
    expect(bad.stdout).toMatch(/record \(namespace demo, index \d+/)
  })
})

function writeSlow(directory: string): void {
  mkdirSync(join(directory, 'services', 'slow'), { recursive: true })
  mkdirSync(join(directory, 'policies'))
  writeFileSync(join(directory, 'namespace.yaml'), 'namespace: slow\nagents:\n  - name: waiter\n')
  writeFileSync(join(directory, 'policies', 'slow.cedar'), 'permit (principal, action == Action::"call", resource);')
  const wait = 'import time\n\n\ndef wait() -> int:\n    """Waits."""\n    time.sleep(8)\n    return 1\n'
  writeFileSync(join(directory, 'services', 'slow', 'wait.py'), wait)
  writeFileSync(
    join(directory, 'services', 'slow', 'quick.py'),
    'def quick() -> int:\n    """Returns."""\n    return 1\n',
  )
}

/** Records straight from the file, as an auditor would read them. */
function recordsOf(directory: string): { kind: string; call: string; json: string }[] {
  const database = new DatabaseSync(join(directory, 'audit.db'), { readOnly: true })
  const rows = database.prepare('SELECT kind, call, json FROM records').all()
  database.close()
  return rows.map((row) => ({ kind: String(row.kind), call: String(row.call), json: String(row.json) }))
}

/** A disk of 12 MiB. A user who is not root needs sudo, as for the set-up. */
function mount(directory: string): void {
  asRoot('mount', '-t', 'tmpfs', '-o', `size=12m,mode=0755,uid=${process.getuid?.() ?? 0}`, 'tmpfs', directory)
}

/** As root, or in the way that the set-up becomes root: through sudo. */
function asRoot(command: string, ...args: string[]): void {
  if (process.getuid?.() === 0) execFileSync(command, args)
  else execFileSync('sudo', ['-n', command, ...args])
}

/** Full for the log is when its own next page does not fit: what was set aside before still takes some records. */
async function untilRefused(
  call: () => Promise<{ status: number; message: object }>,
): Promise<{ status: number; message: object }> {
  for (let attempt = 0; attempt < 2000; attempt += 1) {
    const answer = await call()
    if (answer.status !== 200) return answer
  }
  throw new Error('the full disk was never noticed')
}

/** The server looks for room by itself; this asks until it says that it has found it. */
async function untilHealthy(url: string): Promise<void> {
  while ((await fetch(`${url}/healthz`)).status !== 200) await new Promise((resolve) => setTimeout(resolve, 20))
}

function childrenOf(pid: number): number[] {
  const direct = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .filter((text) => text !== '')
    .map(Number)
  return direct.flatMap((child) => [child, ...childrenOf(child)])
}

function isAlive(pid: number): boolean {
  try {
    // A zombie has ended: only its parent has not looked yet.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

/** Resolves when the process has ended. */
async function endOf(pid: number): Promise<void> {
  while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 5))
}
