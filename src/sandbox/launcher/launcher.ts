import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, existsSync, lstatSync, mkdtempSync, openSync, readdirSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex, Readable } from 'node:stream'
import { z } from 'zod'

const processId = z.int().positive()

/** What the launcher tells. It is trusted; the schema is there to find a bug at the border. */
const messageSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('zygote-ready'), zygote: z.string(), pid: processId }),
  z.strictObject({ type: z.literal('zygote-lost'), zygote: z.string(), why: z.string() }),
  z.strictObject({ type: z.literal('slot-ready'), slot: z.int(), pid: processId }),
  z.strictObject({ type: z.literal('slot-lost'), slot: z.int(), why: z.string() }),
  z.strictObject({ type: z.literal('born'), jail: z.int(), pid: processId }),
  z.strictObject({
    type: z.literal('ended'),
    jail: z.int(),
    exitCode: z.int().nullable(),
    cpuMs: z.number(),
    maxRssBytes: z.number(),
  }),
])

/** What the launcher tells. */
export type FromLauncher = z.output<typeof messageSchema>

/** An outer jail to be started: a program of the host, and bytes that it finds at descriptors. */
export interface OuterJail {
  readonly program: string
  readonly arguments: readonly string[]
  /** Descriptor number to content. 3 is the control socket and is added. */
  readonly files: Readonly<Record<number, Uint8Array>>
}

/** What is asked of the launcher. */
export type ToLauncher =
  | {
      readonly type: 'zygote'
      readonly zygote: string
      readonly program: string
      readonly arguments: readonly string[]
      readonly files: Readonly<Record<number, string>>
      readonly plan: object
    }
  | { readonly type: 'end'; readonly zygote: string }
  | { readonly type: 'slot'; readonly zygote: string; readonly slot: number }
  | { readonly type: 'go' | 'close'; readonly slot: number }
  | {
      readonly type: 'jail'
      readonly slot: number
      readonly jail: number
      readonly nonce: string
      readonly codeBytes: number
      readonly scratchBytes: number
    }
  | { readonly type: 'kill'; readonly jail: number }
  | {
      readonly type: 'limit'
      readonly jail: number
      readonly pid: number
      readonly resource: number
      readonly value: number
    }

/** The connections of one jail, as they arrive. */
export interface JailConnections {
  readonly channel: Socket
  readonly stdout: Socket
  readonly stderr: Socket
}

const roles = ['channel', 'stdout', 'stderr'] as const
type Role = (typeof roles)[number]
/** In characters: a nonce of 32 bytes in base64url. */
const nonceLength = 43
const maxWaitingConnections = 4096

/**
 * The process that starts outer jails and hands their jails connections to this one. A connection is accepted only with
 * a nonce that was given to the launcher for it, once for each role; anything else is closed.
 */
export class Launcher {
  readonly #process: ChildProcess
  readonly #commands: Duplex
  readonly #server: Server
  readonly #directory: string
  readonly #expected = new Map<string, (role: Role, socket: Socket) => void>()
  /** Settles when the process is gone, with what it said. */
  readonly lost: Promise<string>

  private constructor(child: ChildProcess, server: Server, directory: string, lost: Promise<string>) {
    this.#process = child
    this.#commands = child.stdio[3] as Duplex
    this.#server = server
    this.#directory = directory
    this.lost = lost
  }

  /** @throws Error where the directory of the socket cannot be made or Python cannot be started */
  static async start(pythonPath: string, program: string, take: (message: FromLauncher) => void): Promise<Launcher> {
    removeLeftDirectories()
    const directory = mkdtempSync(join(tmpdir(), `mcpworks-${String(process.pid)}-`))
    const path = join(directory, 'executor')
    const opened = openSync(directory, 'r')
    const server = createServer({ pauseOnConnect: false })
    server.once('close', () => closeSync(opened))
    server.maxConnections = maxWaitingConnections
    const listening = Promise.withResolvers<undefined>()
    server.once('error', listening.reject)
    // A jail can ask for the name of what it is connected to: one that says nothing of the host or of this process.
    server.listen(`/proc/self/fd/${String(opened)}/executor`, () => listening.resolve(undefined))
    await listening.promise
    const child = spawn(pythonPath, ['-I', '-S', '-E', '-B', program], {
      env: {},
      cwd: '/',
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    })
    const commands = child.stdio[3] as Duplex
    let said = ''
    const stderr = child.stderr as Readable
    stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-2000)))
    const gone = Promise.withResolvers<string>()
    child.on('error', (error) => gone.resolve(error.message))
    child.on('close', () => gone.resolve(said.trim()))
    commands.on('error', () => commands.destroy())
    const launcher = new Launcher(child, server, directory, gone.promise)
    server.on('connection', (socket) => launcher.#admit(socket))
    readLines(commands, (line) => take(messageSchema.parse(JSON.parse(line))))
    commands.write(`${JSON.stringify({ type: 'hello', path })}\n`)
    return launcher
  }

  send(message: ToLauncher): void {
    if (this.#commands.writable) this.#commands.write(`${JSON.stringify(message)}\n`)
  }

  startZygote(zygote: string, { files, ...outer }: OuterJail, plan: object): void {
    const given = Object.fromEntries(
      Object.entries(files).map(([number, content]) => [number, Buffer.from(content).toString('hex')]),
    )
    this.send({ type: 'zygote', zygote, program: outer.program, arguments: outer.arguments, files: given, plan })
  }

  /** The connections that come with this nonce. Call `forget` where they may never come. */
  async expect(nonce: string): Promise<JailConnections> {
    const { promise, resolve } = Promise.withResolvers<JailConnections>()
    const found: Partial<Record<Role, Socket>> = {}
    this.#expected.set(nonce, (role, socket) => {
      if (found[role] !== undefined) return socket.destroy()
      found[role] = socket
      const { channel, stdout, stderr } = found
      if (channel === undefined || stdout === undefined || stderr === undefined) return undefined
      this.#expected.delete(nonce)
      return resolve({ channel, stdout, stderr })
    })
    return await promise
  }

  forget(nonce: string): void {
    this.#expected.delete(nonce)
  }

  /** Ends the process at once, and by their death signals all that hangs on it. */
  kill(): void {
    this.#process.kill('SIGKILL')
  }

  async close(): Promise<void> {
    this.#commands.end()
    this.#server.close()
    await this.lost
    rmSync(this.#directory, { recursive: true, force: true })
  }

  /** Reads who it is; what follows belongs to the jail. */
  #admit(socket: Socket): void {
    socket.on('error', () => socket.destroy())
    const read = (): void => {
      const head = socket.read(nonceLength + 1) as Buffer | null
      if (head === null) return
      socket.off('readable', read)
      const text = head.toString('latin1')
      const role = roles['coe'.indexOf(text.charAt(nonceLength))]
      const take = this.#expected.get(text.slice(0, nonceLength))
      if (role === undefined || take === undefined) socket.destroy()
      else take(role, socket)
    }
    socket.on('readable', read)
  }
}

/** Of executors of this user that were killed before they could remove theirs. */
function removeLeftDirectories(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = /^mcpworks-(\d+)-\w{6}$/.exec(name)?.[1]
    const path = join(tmpdir(), name)
    if (
      pid === undefined ||
      existsSync(`/proc/${pid}`) ||
      lstatSync(path, { throwIfNoEntry: false })?.uid !== process.geteuid?.()
    )
      continue
    rmSync(path, { recursive: true, force: true })
  }
}

function readLines(stream: Readable, take: (line: string) => void): void {
  let text = ''
  stream.setEncoding('utf8')
  stream.on('data', (part: string) => {
    const lines = (text + part).split('\n')
    text = lines.pop() ?? ''
    for (const line of lines) take(line)
  })
}
