import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { realpathSync } from 'node:fs'
import { dirname } from 'node:path'

/** One piece of work for a process that can do nothing but compute. */
export interface UnprivilegedWork {
  /** Absolute path of a CommonJS module, the one thing that the process may use. What lies beside it may be read too. */
  readonly module: string
  /** Body of a function of `subject` (the module) and `input`, that returns the answer. JavaScript, trusted. */
  readonly script: string
  /** JSON text. */
  readonly input: string
  readonly limits: { readonly wallMs: number; readonly memoryMb: number; readonly answerBytes: number }
}

/** JSON text of what was returned, or that there is no answer. */
export type UnprivilegedAnswer =
  | { readonly ok: true; readonly answer: string }
  | { readonly ok: false; readonly reason: string }

/**
 * Computes in a process of its own: no environment, no file but those of the module, no child process, no worker, no
 * native code, and as nobody where this process is root. It is not a jail: the network is not taken from it, and what
 * it is given must be trusted code on untrusted data. Never rejects; a process that fails, is late or says too much
 * gives no answer.
 */
export async function runUnprivileged(work: UnprivilegedWork): Promise<UnprivilegedAnswer> {
  const { script, input, limits } = work
  // Rights are those of real paths, and packages may be linked to.
  const module = realpathSync(work.module)
  const child = spawn(
    process.execPath,
    [
      '--permission',
      `--allow-fs-read=${dirname(module)}`,
      `--max-old-space-size=${limits.memoryMb}`,
      '--input-type=commonjs',
      '--eval',
      `${prelude}${script}${epilogue}`,
      module,
    ],
    { cwd: '/', env: {}, stdio: ['pipe', 'pipe', 'ignore'], timeout: limits.wallMs, killSignal: 'SIGKILL' },
  )
  const said: Buffer[] = []
  let bytes = 0
  child.stdout.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > limits.answerBytes) child.kill('SIGKILL')
    else said.push(chunk)
  })
  // A process that ends before it has read everything: its exit tells.
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  try {
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
    if (bytes > limits.answerBytes) return { ok: false, reason: `it said more than ${limits.answerBytes} bytes` }
    if (code !== 0) return { ok: false, reason: signal === null ? `it ended with code ${code}` : `${signal} ended it` }
    return { ok: true, answer: Buffer.concat(said).toString('utf8') }
  } catch {
    // `close` rejects with what kept the process from being started.
    return { ok: false, reason: 'it could not be started' }
  }
}

/** The module is loaded first: nobody may be unable to read it. */
const prelude = `'use strict'
const subject = require(process.argv[1])
const { readFileSync } = require('node:fs')
if (process.getuid() === 0) {
  process.setgroups([])
  process.setgid(65534)
  process.setuid(65534)
}
const answer = ((subject, input) => {
`
const epilogue = `
})(subject, JSON.parse(readFileSync(0, 'utf8')))
process.stdout.write(JSON.stringify(answer))
`
