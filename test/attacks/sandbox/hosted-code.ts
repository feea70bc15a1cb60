import { execFile, spawn } from 'node:child_process'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sandboxConfigSchema, startSandbox } from '../../../src/sandbox/index.ts'
import type {
  Runtime,
  Sandbox,
  SandboxEvents,
  SandboxLimits,
  SandboxOutcome,
  SandboxSpec,
} from '../../../src/sandbox/index.ts'
import { engineUnderTest } from '../../support/engine-under-test.ts'

const mebibyte = 1024 * 1024

/** Bounds that an honest probe never reaches. */
const roomyLimits: SandboxLimits = {
  wallMs: 20_000,
  cpuMs: 20_000,
  memoryBytes: 512 * mebibyte,
  processes: 16,
  openFiles: 128,
  scratchBytes: 16 * mebibyte,
  resultBytes: mebibyte,
  outputBytes: 65_536,
  innerCalls: 16,
}

/** What probes in Python are written with: `attempt(f)` and `call(number, ...)` answer "done" or the name of the error. */
const pythonTools = `
import ctypes, errno, os
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
def name(number):
    return errno.errorcode.get(number, str(number)).replace('EOPNOTSUPP', 'ENOTSUP')
def attempt(action):
    try:
        value = action()
        return value if isinstance(value, (str, list)) else 'done'
    except OSError as error:
        return name(error.errno)
def call(number, *arguments):
    ctypes.set_errno(0)
    words = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    return name(ctypes.get_errno()) if libc.syscall(ctypes.c_long(number), *words) == -1 else 'done'
`

/** The same for probes in TypeScript. */
const typescriptTools = `
import { dlopen, ptr } from 'bun:ffi'
import * as fs from 'node:fs'
const libc = dlopen('libc.so.6', {
  syscall: { args: ['i64', 'i64', 'i64', 'i64', 'i64', 'i64', 'i64'], returns: 'i64' },
}).symbols
const call = (number: number, ...a: number[]): string =>
  Number(libc.syscall(number, a[0] ?? 0, a[1] ?? 0, a[2] ?? 0, a[3] ?? 0, a[4] ?? 0, a[5] ?? 0)) === -1 ? 'refused' : 'done'
const attempt = (action: () => unknown): unknown => {
  try { const value = action(); return typeof value === 'string' || Array.isArray(value) ? value : 'done' }
  catch (error) { return (error as { code?: string }).code ?? String(error) }
}
`

/** A function with one file and the tools in it. \`body\` defines main. */
export function specOf(
  runtime: Runtime,
  body: string,
  input: unknown = {},
  limits: Partial<SandboxLimits> = {},
): SandboxSpec {
  const file = runtime === 'python' ? 'main.py' : 'main.ts'
  const tools = runtime === 'python' ? pythonTools : typescriptTools
  return {
    id: 'attack',
    runtime,
    files: new Map([[file, Buffer.from(`${tools}\n${body}\n`)]]),
    entry: { file, name: 'main' },
    inputJson: JSON.stringify(input),
    limits: { ...roomyLimits, ...limits },
  }
}

/** The sandbox as a server starts it, with few settings of its own. */
export async function openSandbox(settings: object = {}): Promise<Sandbox> {
  return await startSandbox(sandboxConfigSchema.parse({ ...engineUnderTest, concurrency: 4, ...settings }))
}

/** Runs a probe in a real jail. */
export async function run(
  sandbox: Sandbox,
  runtime: Runtime,
  body: string,
  { input, limits, ...events }: { input?: unknown; limits?: Partial<SandboxLimits> } & SandboxEvents = {},
): Promise<SandboxOutcome> {
  return await sandbox.run(specOf(runtime, body, input, limits), events)
}

/** Runs a probe in a real jail and returns what it found. */
export async function probe(
  sandbox: Sandbox,
  runtime: Runtime,
  body: string,
  input: unknown = {},
): Promise<Record<string, unknown>> {
  return answerOf(await run(sandbox, runtime, body, { input }))
}

/** What an execution returned. @throws Error with the whole outcome where it returned nothing */
export function answerOf(outcome: SandboxOutcome): Record<string, unknown> {
  if (outcome.status !== 'ok') throw new Error(JSON.stringify(outcome, null, 1))
  return JSON.parse(outcome.resultJson) as Record<string, unknown>
}

/** The negative control of the jail: the same Python probe on the bare host, as an unprivileged user where that can be. */
export async function probeUnjailed(body: string, input: unknown = {}): Promise<Record<string, unknown>> {
  const directory = await mkdtemp(join(tmpdir(), 'unjailed-'))
  try {
    await chmod(directory, 0o755)
    const last = `\nimport json, sys\nprint(json.dumps(main(json.loads(sys.argv[1]))))\n`
    await writeFile(join(directory, 'probe.py'), `${pythonTools}\n${body}\n${last}`, { mode: 0o644 })
    const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}
    const args = ['-I', '-S', '-B', join(directory, 'probe.py'), JSON.stringify(input)]
    const stdout = await new Promise<string>((resolve, reject) => {
      execFile('/usr/bin/python3', args, { env: {}, cwd: '/', ...nobody }, (error, out) =>
        error === null ? resolve(out) : reject(new Error('the control failed', { cause: error })),
      )
    })
    return JSON.parse(stdout) as Record<string, unknown>
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** The negative control of the filter: the same jail with filters that allow everything. */
export async function runUnfiltered(
  specs: readonly SandboxSpec[],
  settings: object = engineUnderTest,
  kept: 'start' | 'none' = 'none',
): Promise<SandboxOutcome[]> {
  const child = spawn(
    process.execPath,
    [new URL('./unfiltered-executor.ts', import.meta.url).pathname, JSON.stringify(settings), kept],
    {
      env: {},
      cwd: '/',
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  )
  const plain = specs.map((spec) => ({
    ...spec,
    files: [...spec.files].map(([path, bytes]) => [path, Buffer.from(bytes).toString('utf8')]),
  }))
  child.stdin.end(JSON.stringify(plain))
  let text = ''
  for await (const part of child.stdout.setEncoding('utf8') as AsyncIterable<string>) text += part
  return JSON.parse(text) as SandboxOutcome[]
}
