import { spawn, type ChildProcess } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { chmod, chown, cp, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { sandboxConfigSchema, startSandbox, type ExecutorChange, type Sandbox } from '../../src/sandbox/index.ts'
import { engineUnderTest } from '../support/engine-under-test.ts'
import { hostMounts } from '../support/host-mounts.ts'

const asRoot = process.getuid?.() === 0
const nobody = 65_534
const sleeper = 'import mcpworks, time\ndef main(_):\n  mcpworks.log("up")\n  time.sleep(600)'
const server = fileURLToPath(new URL('./sandbox-server.ts', import.meta.url))

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sandbox-'))
  await chmod(directory, 0o755)
})

afterEach(async () => {
  await rm(directory, { recursive: true, force: true })
})

/** Ids of all processes below one. */
function below(pid: number): number[] {
  const parents = new Map<number, number[]>()
  for (const name of readdirSync('/proc').filter((each) => /^\d+$/.test(each))) {
    try {
      const line = readFileSync(`/proc/${name}/stat`, 'latin1')
      const parent = Number(line.slice(line.lastIndexOf(')') + 2).split(' ')[1])
      parents.set(parent, [...(parents.get(parent) ?? []), Number(name)])
    } catch {
      // Gone between the listing and the look.
    }
  }
  const collect = (one: number): number[] => (parents.get(one) ?? []).flatMap((child) => [child, ...collect(child)])
  const found = collect(pid)
  for (const one of found) births.set(one, birthOf(one) ?? '')
  return found
}

/** When each process that was seen was born: its number may soon be another's. */
const births = new Map<number, string>()

/** In ticks since the machine started; `null` of one that is gone or waits to be reaped. */
function birthOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? null)
  } catch {
    return null
  }
}

/** Whether a process that was seen is still there and no zombie. */
function alive(pid: number): boolean {
  const birth = birthOf(pid)
  return birth !== null && birth === births.get(pid)
}

async function untilGone(pids: readonly number[]): Promise<void> {
  while (pids.some(alive)) await pause(5)
}

function executorOf(pid: number): number {
  return childOf(pid, 'sandbox/executor/main')
}

/** The process below one whose command line holds `program`. */
function childOf(pid: number, program: string): number {
  const found = below(pid).find(
    (child) =>
      existsSync(`/proc/${String(child)}/cmdline`) &&
      readFileSync(`/proc/${String(child)}/cmdline`, 'latin1').includes(program),
  )
  if (found === undefined) throw new Error(`there is no ${program}`)
  return found
}

/** What a sandbox tells of its executors, and how to wait for it. */
function executorChanges() {
  const changes: ExecutorChange[] = []
  const told = new EventEmitter()
  return {
    changes,
    onChange(change: ExecutorChange): void {
      changes.push(change)
      told.emit(change.type)
    },
    async until(type: ExecutorChange['type']): Promise<void> {
      await once(told, type)
    },
  }
}

function startServer(
  options: object,
  how: { uid?: number; main?: string; env?: Record<string, string> } = {},
): { child: ChildProcess; lines: AsyncIterator<string> } {
  const ids = how.uid === undefined ? {} : { uid: how.uid, gid: how.uid }
  const child = spawn(process.execPath, [how.main ?? server, JSON.stringify(options)], {
    cwd: '/',
    env: how.env ?? {},
    stdio: ['ignore', 'pipe', 'inherit'],
    ...ids,
  })
  if (child.stdout === null) throw new Error('no stdout')
  return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() }
}

async function said(lines: AsyncIterator<string>): Promise<Record<string, unknown>> {
  const { value, done } = await lines.next()
  if (done === true) throw new Error('the server ended')
  return JSON.parse(value) as Record<string, unknown>
}

async function runSleeper(sandbox: Sandbox): Promise<{ outcome: ReturnType<Sandbox['run']> }> {
  const up = Promise.withResolvers<undefined>()
  const limits = {
    wallMs: 600_000,
    cpuMs: 60_000,
    memoryBytes: 5e8,
    processes: 8,
    openFiles: 64,
    scratchBytes: 1e6,
    resultBytes: 1e5,
    outputBytes: 1e5,
    innerCalls: 0,
  }
  const outcome = sandbox.run(
    {
      id: 'x',
      runtime: 'python',
      files: new Map([['main.py', Buffer.from(sleeper)]]),
      entry: { file: 'main.py', name: 'main' },
      inputJson: '{}',
      limits,
    },
    { onLog: () => up.resolve(undefined) },
  )
  await up.promise
  return { outcome }
}

describe('the executor', () => {
  test('and all it starts have an empty environment, an id of their own and no descriptor of the server', async () => {
    process.env['SANDBOX_TEST_SECRET'] = 'canary'
    const before = below(process.pid)
    const sandbox = await startSandbox(sandboxConfigSchema.parse(engineUnderTest))
    delete process.env['SANDBOX_TEST_SECRET']
    const started = below(process.pid).filter((pid) => !before.includes(pid))
    expect(started[0]).toBe(executorOf(process.pid))
    for (const pid of started) {
      expect(readFileSync(`/proc/${String(pid)}/environ`, 'latin1')).not.toContain('canary')
      const ids = /^Uid:\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)$/m
        .exec(readFileSync(`/proc/${String(pid)}/status`, 'latin1'))
        ?.slice(1)
      expect(new Set(ids)).toEqual(new Set([asRoot ? '1990000000' : String(process.getuid?.())]))
    }
    expect(readFileSync(`/proc/${String(started[0])}/environ`, 'latin1')).toBe('')
    await sandbox.close()
    await untilGone(started)
  })

  test('when it is killed ends its calls as lost, leaves nothing running, says how it ended, and is started again', async () => {
    const { changes, onChange, until } = executorChanges()
    const sandbox = await startSandbox(sandboxConfigSchema.parse(engineUnderTest), onChange)
    const { outcome } = await runSleeper(sandbox)
    const executor = executorOf(process.pid)
    const jailed = below(executor)
    expect(jailed.length).toBeGreaterThan(1)
    process.kill(executor, 'SIGKILL')
    const started = until('started')
    expect(await outcome).toMatchObject({ status: 'killed', reason: 'executor-lost' })
    expect(await runOne(sandbox)).toMatchObject({ status: 'unavailable' })
    await untilGone([executor, ...jailed])
    await started
    expect(await runOne(sandbox)).toMatchObject({ status: 'ok', resultJson: '1' })
    await sandbox.close()
    const end = { exitCode: null, signal: 'SIGKILL', brokeProtocol: false, stderr: '' }
    expect(changes).toEqual([{ type: 'lost', end, executions: 1 }, { type: 'started' }])
  })

  test('that ends because its launcher did says so', async () => {
    const { changes, onChange, until } = executorChanges()
    const config = sandboxConfigSchema.parse({ ...engineUnderTest, mode: 'fast' })
    const sandbox = await startSandbox(config, onChange)
    process.kill(childOf(executorOf(process.pid), 'launcher.py'), 'SIGKILL')
    await until('started')
    expect(changes[0]).toMatchObject({ type: 'lost', end: { exitCode: 1, signal: null }, executions: 0 })
    expect(changes[0]).toMatchObject({ end: { stderr: expect.stringContaining('the launcher ended') } })
    await sandbox.close()
  })

  test('that cannot be started again is tried again, told why, and gone when the sandbox is closed meanwhile', async () => {
    const pythonPath = join(directory, 'python3')
    await symlink('/usr/bin/python3', pythonPath)
    const { changes, onChange, until } = executorChanges()
    const sandbox = await startSandbox(sandboxConfigSchema.parse({ ...engineUnderTest, pythonPath }), onChange)
    await rm(pythonPath)
    process.kill(executorOf(process.pid), 'SIGKILL')
    await until('not-started')
    expect(changes[1]).toMatchObject({
      error: { code: 'sandbox_unavailable', message: expect.stringContaining(pythonPath) },
    })
    expect(await runOne(sandbox)).toMatchObject({ status: 'unavailable' })
    await symlink('/usr/bin/python3', pythonPath)
    await until('started')
    expect(await runOne(sandbox)).toMatchObject({ status: 'ok' })
    const lost = executorOf(process.pid)
    process.kill(lost, 'SIGKILL')
    await untilGone([lost])
    while (below(process.pid).length === 0) await pause(5)
    const starting = below(process.pid)
    await sandbox.close()
    expect(starting.filter(alive)).toEqual([])
    expect(sandbox.isReady()).toBe(false)
  })

  test('that does not answer any more is killed when the sandbox is closed, and its calls with it', async () => {
    const sandbox = await startSandbox(sandboxConfigSchema.parse(engineUnderTest))
    const { outcome } = await runSleeper(sandbox)
    process.kill(executorOf(process.pid), 'SIGSTOP')
    const closing = sandbox.close()
    expect(await outcome).toMatchObject({ status: 'killed', reason: 'executor-lost' })
    await closing
  }, 30_000)

  test('ends with everything it started when the server is killed', async () => {
    const { child, lines } = startServer({ config: engineUnderTest, code: sleeper })
    expect(await said(lines)).toMatchObject({ checks: 0 })
    expect(await said(lines)).toEqual({ log: 'up' })
    const started = below(child.pid ?? 0)
    expect(started.length).toBeGreaterThan(2)
    child.kill('SIGKILL')
    await untilGone(started)
  })

  test('leaves no mount and no process when the sandbox is closed in the middle of a call', async () => {
    const mounts = hostMounts()
    const sandbox = await startSandbox(sandboxConfigSchema.parse(engineUnderTest))
    const { outcome } = await runSleeper(sandbox)
    const started = below(process.pid)
    await sandbox.close()
    expect((await outcome).status).toBe('killed')
    await untilGone(started)
    expect(hostMounts()).toEqual(mounts)
  })
})

async function runOne(sandbox: Sandbox): ReturnType<Sandbox['run']> {
  const limits = {
    wallMs: 10_000,
    cpuMs: 10_000,
    memoryBytes: 5e8,
    processes: 8,
    openFiles: 64,
    scratchBytes: 1e6,
    resultBytes: 1e5,
    outputBytes: 1e5,
    innerCalls: 0,
  }
  return await sandbox.run({
    id: 'x',
    runtime: 'python',
    files: new Map([['main.py', Buffer.from('def main(_): return 1')]]),
    entry: { file: 'main.py', name: 'main' },
    inputJson: '{}',
    limits,
  })
}

describe('starting', () => {
  test.each([
    [{ engine: 'bubblewrap', bubblewrapPath: '/nonexistent/bwrap' }, 'apt-get install bubblewrap'],
    [{ engine: 'bubblewrap', bubblewrapPath: '/usr/bin/false' }, 'bubblewrap cannot be used'],
    [{ engine: 'nsjail', nsjailPath: '/nonexistent/nsjail' }, 'there is no program /nonexistent/nsjail'],
    [{ engine: 'nsjail', nsjailPath: '/usr/bin/false' }, 'nsjail cannot be used'],
    [{ pythonPath: '/nonexistent/python3' }, '/nonexistent/python3 failed'],
    [{ bunPath: '/nonexistent/bun' }, '/nonexistent/bun'],
    [{ pythonPath: '/usr/bin/true' }, '/usr/bin/true is no Python'],
    [{ bunPath: '/usr/bin/true' }, 'the sandbox failed its self-test'],
  ])('without what it needs is refused, saying what (%#)', async (config, part) => {
    const error = await startSandbox(sandboxConfigSchema.parse({ ...engineUnderTest, ...config })).then(
      () => null,
      (reason: unknown) => reason as { code: string; message: string },
    )
    expect(error?.code).toBe('sandbox_unavailable')
    expect(error?.message).toContain(part)
  })

  test('works from compiled files', async () => {
    const out = join(directory, 'out')
    const root = fileURLToPath(new URL('../../', import.meta.url))
    // What the server is made of, and what it starts by name: to compile the whole project takes many times as long.
    const started = ['executor/main', 'runner/typescript-runner', 'runner/self-test-probe']
    const files = ['test/integration/sandbox-server', ...started.map((name) => `src/sandbox/${name}`)]
    const project = join(directory, 'tsconfig.json')
    await writeFile(
      project,
      JSON.stringify({
        extends: join(root, 'tsconfig.json'),
        compilerOptions: {
          noCheck: true,
          noEmit: false,
          outDir: out,
          rootDir: root,
          typeRoots: [join(root, 'node_modules/@types')],
        },
        include: [],
        files: files.map((name) => join(root, `${name}.ts`)),
      }),
    )
    const tsc = spawn(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', project], {
      stdio: 'ignore',
    })
    await new Promise((resolve) => tsc.on('close', resolve))
    await symlink(join(root, 'node_modules'), join(directory, 'node_modules'))
    await writeFile(join(directory, 'package.json'), '{"type":"module"}')
    for (const name of [
      'runner/python-runner.py',
      'runner/self-test-probe.py',
      'runner/zygote.py',
      'launcher/launcher.py',
    ])
      await cp(join(root, 'src/sandbox', name), join(out, 'src/sandbox', name))
    const { lines } = startServer(
      { config: engineUnderTest, code: 'export const main = () => 1', runtime: 'typescript' },
      { main: join(out, 'test/integration/sandbox-server.js') },
    )
    expect(await said(lines)).toMatchObject({ checks: 0 })
    expect(await said(lines)).toMatchObject({ outcome: { status: 'ok', resultJson: '1' } })
  })
})

// oxlint-disable-next-line mcpworks/no-conditional-test -- only root can show what becomes of a server that root started
describe.runIf(asRoot)('started as root', () => {
  test('and as a normal user it is the same sandbox, without staging', async () => {
    // A directory that this user could not make; nothing may be tried there.
    const { lines } = startServer(
      { config: { ...engineUnderTest, stagingDirectory: join(directory, 'stage') }, code: 'def main(_): return 1' },
      { uid: nobody },
    )
    expect(await said(lines)).toEqual({ uid: nobody, checks: 0 })
    expect(await said(lines)).toMatchObject({ outcome: { status: 'ok', resultJson: '1' } })
    expect(await readdir(directory)).toEqual([])
  })

  test('leaves no process of its id behind, not even one that waits to be reaped', async () => {
    const executorUid = 1_992_000_000 + process.pid
    const ofThatId = (): string[] =>
      readdirSync('/proc').filter((name) => {
        try {
          return new RegExp(`^Uid:\\s+${String(executorUid)}\\s`, 'm').test(
            readFileSync(`/proc/${name}/status`, 'latin1'),
          )
        } catch {
          return false
        }
      })
    const sandbox = await startSandbox(sandboxConfigSchema.parse({ ...engineUnderTest, executorUid }))
    for (let n = 0; n < 5; n += 1) expect(await runOne(sandbox)).toMatchObject({ status: 'ok' })
    const { outcome } = await runSleeper(sandbox)
    expect(ofThatId().length).toBeGreaterThanOrEqual(3)
    const closing = sandbox.close()
    expect((await outcome).status).toBe('killed')
    await closing
    expect(ofThatId()).toEqual([])
  })

  const start = async (stagingDirectory: string): Promise<{ code: string; message: string } | null> =>
    await startSandbox(sandboxConfigSchema.parse({ ...engineUnderTest, stagingDirectory })).then(
      async (sandbox) => {
        await sandbox.close()
        return null
      },
      (reason: unknown) => reason as { code: string; message: string },
    )

  test('a staging directory that others may change is refused, also where only a parent is', async () => {
    const open = join(directory, 'open')
    await mkdir(open)
    await chmod(open, 0o777)
    expect((await start(open))?.message).toContain('can be changed by others than root')
    const foreign = join(directory, 'foreign')
    await mkdir(foreign)
    await chown(foreign, nobody, nobody)
    expect((await start(foreign))?.message).toContain('can be changed by others than root')
    expect((await start(join(foreign, 'inner')))?.message).toContain('can be changed by others than root')
  })

  test('a staged file that was changed, or is a link, is replaced before it is used', async () => {
    // The system's temporary directory may be changed by all, so this is made where only root may.
    const safe = await mkdtemp('/var/cache/mcpworks-test-')
    try {
      await chmod(safe, 0o755)
      expect(await start(safe)).toBeNull()
      const copies = (
        await Promise.all(
          (await readdir(safe)).map(async (hash) =>
            (await readdir(join(safe, hash))).map((name) => join(safe, hash, name)),
          ),
        )
      ).flat()
      const runner = copies.find((path) => path.endsWith('.py')) ?? ''
      const good = readFileSync(runner, 'utf8')
      await chmod(runner, 0o644)
      await writeFile(runner, 'print("changed")')
      expect(await start(safe)).toBeNull()
      expect(readFileSync(runner, 'utf8')).toBe(good)
      await rm(runner)
      await symlink('/etc/passwd', runner)
      expect(await start(safe)).toBeNull()
      expect(readFileSync(runner, 'utf8')).toBe(good)
      expect((await stat(runner)).mode & 0o777).toBe(0o444)
    } finally {
      await rm(safe, { recursive: true })
    }
  })
})
