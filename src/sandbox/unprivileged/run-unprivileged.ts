import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { realpathSync } from 'node:fs'
import { dirname } from 'node:path'
import { findUnshare } from '../nsjail/find-program.ts'

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
 * Computes in a process of its own: no environment, no network, no file but those of the module, no child process, no
 * worker, no native code, and as nobody where this process is root. It is not a jail, and what it is given must be
 * trusted code on untrusted data. Linux alone can take the network from it; where that cannot be, nothing is computed.
 * Never rejects; a process that fails, is late or says too much gives no answer.
 */
export async function runUnprivileged(work: UnprivilegedWork): Promise<UnprivilegedAnswer> {
  const { script, input, limits } = work
  // Rights are those of real paths, and packages may be linked to.
  const module = realpathSync(work.module)
  const unshare = findUnshare()
  if (unshare.path === null) return { ok: false, reason: `${noNetwork}: ${unshare.problem}` }
  const child = spawn(
    unshare.path,
    [
      // A namespace of users gives the right to one of the network, where there is no other.
      ...(process.getuid?.() === 0 ? [] : ['--user']),
      '--net',
      process.execPath,
      '--permission',
      `--allow-fs-read=${dirname(module)}`,
      `--max-old-space-size=${limits.memoryMb}`,
      '--input-type=commonjs',
      '--eval',
      `${prelude}${script}${epilogue}`,
      module,
    ],
    { cwd: '/', env: {}, stdio: ['pipe', 'pipe', 'pipe'], timeout: limits.wallMs, killSignal: 'SIGKILL' },
  )
  const said: Buffer[] = []
  let bytes = 0
  child.stdout.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > limits.answerBytes) child.kill('SIGKILL')
    else said.push(chunk)
  })
  let complaint = ''
  child.stderr.on('data', (chunk: Buffer) => (complaint = (complaint + chunk.toString('utf8')).slice(0, keptComplaint)))
  // A process that ends before it has read everything: its exit tells.
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  try {
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
    if (bytes > limits.answerBytes) return { ok: false, reason: `it said more than ${limits.answerBytes} bytes` }
    if (code === networkLeft) return { ok: false, reason: `${noNetwork}: it has devices` }
    if (complaint.startsWith('unshare: ')) return { ok: false, reason: `${noNetwork}: ${firstLine(complaint)}` }
    if (code !== 0) return { ok: false, reason: signal === null ? `it ended with code ${code}` : `${signal} ended it` }
    return { ok: true, answer: Buffer.concat(said).toString('utf8') }
  } catch {
    // `close` rejects with what kept the process from being started.
    return { ok: false, reason: 'it could not be started' }
  }
}

const noNetwork = 'the network cannot be taken from it'
const keptComplaint = 300
/** What it exits with where it sees a device. */
const networkLeft = 77

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? ''
}

/**
 * In a new namespace even the loopback device is off, and off it is not listed. The module is loaded before rights are
 * given up: nobody may be unable to read it.
 */
const prelude = `'use strict'
const subject = require(process.argv[1])
const { readFileSync } = require('node:fs')
if (Object.keys(require('node:os').networkInterfaces()).length > 0) process.exit(${networkLeft})
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
