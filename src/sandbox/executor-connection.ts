import { spawn, type ChildProcess } from 'node:child_process'
import { getCompileCacheDir } from 'node:module'
import { dirname } from 'node:path'
import type { Duplex, Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { removeSubtree } from './cgroup/remove-subtree.ts'
import type { ExecutorEnd } from './executor-change.ts'
import { removeSocketDirectories } from './launcher/remove-socket-directories.ts'
import { encodeFrame, FrameReader } from './protocol/frame.ts'
import {
  executorProtocolVersion,
  fromExecutorBounds,
  fromExecutorSchema,
  type ExecutorSettings,
  type FromExecutor,
  type ToExecutor,
} from './protocol/executor-messages.ts'

const connectionDescriptor = 3
const maxLogCharacters = 16_384
const closeTimeoutMs = 3000

/** A running executor process and the messages to and from it. */
export interface ExecutorConnection {
  send(message: ToExecutor, body?: Uint8Array): void
  /** Ends the connection: the executor kills every jail and exits. Settles when it is gone, and its cgroups with it. */
  close(): Promise<void>
  /** Settles when the process is gone for whatever reason. */
  readonly lost: Promise<ExecutorEnd>
}

/** The executor is source in a checkout and compiled in a release; this file's own name tells which. */
const mainPath = fileURLToPath(
  new URL(`./executor/main${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
)

/**
 * Starts the executor: the only process that the server ever starts. Its environment is empty and it inherits one
 * descriptor, the connection. It is in a session of its own, so that Ctrl-C at a terminal reaches the server alone.
 */
export function startExecutor(
  settings: ExecutorSettings,
  take: (message: FromExecutor, body: Uint8Array) => void,
): ExecutorConnection {
  // Node is given the directory that holds those of its versions, and tells the one of this version.
  const compiled = getCompileCacheDir()
  const args = [
    '--disable-warning=ExperimentalWarning',
    mainPath,
    ...(compiled === undefined ? [] : [dirname(compiled)]),
  ]
  const child = spawn(process.execPath, args, {
    env: {},
    cwd: '/',
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  })
  const connection = child.stdio[connectionDescriptor] as Duplex
  const reader = new FrameReader(fromExecutorBounds)
  const messagesIn = (chunk: Buffer): readonly (readonly [FromExecutor, Uint8Array])[] | null => {
    try {
      return [...reader.push(chunk)].map((frame) => [fromExecutorSchema.parse(frame.header), frame.body] as const)
    } catch {
      return null
    }
  }
  let brokeProtocol = false
  connection.on('data', (chunk: Buffer) => {
    const messages = messagesIn(chunk)
    // An executor that does not keep to the protocol is not trusted with another call.
    if (messages === null) {
      brokeProtocol = true
      child.kill('SIGKILL')
    } else for (const [message, body] of messages) take(message, body)
  })
  connection.on('error', () => connection.destroy())
  const lost = endOf(child).then((end) => ({ ...end, brokeProtocol }))
  const owner = process.getuid?.() === 0 ? settings.executorUid : process.getuid?.()
  const cleaned = lost.then(async () => {
    if (child.pid === undefined) return
    await removeSubtree(child.pid)
    removeSocketDirectories(child.pid, owner)
  })
  const send = (message: ToExecutor, body?: Uint8Array): void => {
    if (connection.writable) connection.write(encodeFrame(message, ...(body === undefined ? [] : [body])))
  }
  send({ type: 'hello', version: executorProtocolVersion, settings })
  return {
    send,
    lost,
    async close() {
      connection.end()
      const timer = setTimeout(() => child.kill('SIGKILL'), closeTimeoutMs)
      await cleaned
      clearTimeout(timer)
    },
  }
}

async function endOf(child: ChildProcess): Promise<Omit<ExecutorEnd, 'brokeProtocol'>> {
  let log = ''
  const stderr = child.stderr as Readable
  stderr.setEncoding('utf8')
  stderr.on('data', (text: string) => (log = (log + text).slice(-maxLogCharacters)))
  const gone = Promise.withResolvers<undefined>()
  child.on('error', (error) => {
    log += error.message
    if (child.pid === undefined) gone.resolve(undefined)
  })
  child.on('close', () => gone.resolve(undefined))
  await gone.promise
  const { exitCode, signalCode } = child
  return { exitCode: child.pid === undefined ? null : exitCode, signal: signalCode, stderr: log }
}
