/**
 * Runs one hosted function inside a jail, on Bun or Node. Nothing of the function reaches this process before `seal` is done.
 * Speaks the runner protocol on descriptor 3: frames of a 32-bit length, a 32-bit header length, a JSON header, bytes.
 * One file, because it is the only one that the jail is given.
 */
import type * as ffi from 'bun:ffi'
import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  read,
  readFileSync,
  readSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import module from 'node:module'
import { dirname } from 'node:path'

const channel = 3
const root = '/fn/'
const maxText = 8000

interface Setup {
  readonly limits: readonly (readonly [number, number])[]
  readonly dataBytes: number
  readonly seccompNumber: number
  readonly nonce: string
}

interface Order {
  readonly entry: { readonly file: string; readonly name: string }
  readonly files: readonly (readonly [string, number])[]
  readonly resultBytes: number
  readonly calls: { readonly atOnce: number; readonly argumentBytes: number }
}

type Answer =
  | { readonly type: 'answer'; readonly id: number }
  | { readonly type: 'refusal'; readonly id: number; readonly code: string; readonly message: string }

/** A call of another tool that waits for its answer. */
interface Waiting {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

/** Only Bun can call the C library. */
function bunFfi(): typeof ffi {
  if (typeof Bun === 'undefined') fail('this runtime cannot bind itself; it is started by one that has bound it')
  return module.createRequire(import.meta.url)('bun:ffi') as typeof ffi
}

/** An engine that can hand in no descriptor beyond the standard three hands in the channel as the first of them. */
function takeChannel(): void {
  const { dup2 } = bunFfi().dlopen('libc.so.6', { dup2: { args: ['i32', 'i32'], returns: 'i32' } }).symbols
  const unused = openSync('/dev/null', 'r')
  if (Number(dup2?.(0, channel)) !== channel || Number(dup2?.(unused, 0)) !== 0) fail('there is no channel')
  if (unused !== channel) closeSync(unused)
}

function readExactly(count: number): Buffer {
  const buffer = Buffer.alloc(count)
  let done = 0
  while (done < count) {
    const got = readSync(channel, buffer, done, count - done, null)
    if (got === 0) process.exit(0)
    done += got
  }
  return buffer
}

function receive(): { header: unknown; body: Buffer } {
  const frame = readExactly(readExactly(4).readUInt32BE(0))
  const split = 4 + frame.readUInt32BE(0)
  return { header: JSON.parse(frame.toString('utf8', 4, split)), body: frame.subarray(split) }
}

function send(header: object, body: Buffer = Buffer.alloc(0)): void {
  const head = Buffer.from(JSON.stringify(header))
  const frame = Buffer.alloc(8 + head.length + body.length)
  frame.writeUInt32BE(4 + head.length + body.length, 0)
  frame.writeUInt32BE(head.length, 4)
  head.copy(frame, 8)
  body.copy(frame, 8 + head.length)
  let done = 0
  while (done < frame.length) done += writeSync(channel, frame, done)
}

/** Lowers every limit, then adds the filter that stays, for all threads. Both are irreversible. */
function seal(setup: Setup, program: Buffer): void {
  const { dlopen, ptr } = bunFfi()
  const libc = dlopen('libc.so.6', {
    syscall: { args: ['i64', 'i64', 'i64', 'ptr'], returns: 'i64' },
    setrlimit: { args: ['i32', 'ptr'], returns: 'i32' },
  }).symbols
  const bound = (resource: number, value: number): void => {
    const pair = BigUint64Array.of(BigInt(value), BigInt(value))
    if (Number(libc['setrlimit']?.(resource, ptr(pair))) !== 0) fail(`limit ${String(resource)} was not accepted`)
  }
  for (const [resource, value] of setup.limits) bound(resource, value)
  // The engine's own reservations count as data, so its limit is what is reserved now and the function's share.
  const dataPages = Number(readFileSync('/proc/self/statm', 'utf8').split(' ')[5])
  bound(2, dataPages * 4096 + setup.dataBytes)
  const text = new Uint8Array(program)
  const what = BigUint64Array.of(BigInt(text.length / 8), BigInt(ptr(text)))
  const [setModeFilter, allThreads] = [1, 1]
  if (Number(libc['syscall']?.(setup.seccompNumber, setModeFilter, allThreads, ptr(what))) !== 0)
    fail('the filter was not accepted')
}

/** Receives what binds this process, does it, and gives back the nonce. */
function sealed(): string {
  const { header, body } = receive()
  seal(header as Setup, body)
  return (header as Setup).nonce
}

/** The last message. The executor ends the jail; until then nothing more of the function runs. */
function finish(header: object, body?: Buffer): never {
  send(header, body)
  for (;;) readExactly(1)
}

function fail(message: string): never {
  writeSync(2, `${message}\n`)
  process.exit(70)
}

function log(message: unknown, level = 'info'): void {
  if (!['debug', 'info', 'warning', 'error'].includes(level))
    throw new TypeError('level must be debug, info, warning or error')
  send({ type: 'log', level, text: String(message).slice(0, maxText) })
}

function progress(done: number, total?: number, message?: string): void {
  const finite = (value: unknown): number => {
    if (typeof value !== 'number' || !Number.isFinite(value)) throw new TypeError('progress takes finite numbers')
    return value
  }
  send({
    type: 'progress',
    progress: finite(done),
    total: total === undefined ? null : finite(total),
    message: message === undefined ? null : message.slice(0, 1000),
  })
}

/** A call of another tool was refused or failed: `code` for programs, the message for people. */
class ToolError extends Error {
  override readonly name = 'ToolError'
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

/** Calls of other tools: as many under way at once as may be, the rest in line. */
class Calls {
  bounds: Order['calls'] = { atOnce: 0, argumentBytes: 0 }
  readonly #waiting = new Map<number, Waiting>()
  readonly #queued: (() => void)[] = []
  #last = 0
  #underWay = 0
  #reading = false

  async make(tool: string, input: object): Promise<unknown> {
    if (typeof tool !== 'string' || !/^[\w./-]{1,128}$/.test(tool)) throw new ToolError('tool_unknown', 'Unknown tool.')
    const problem = misfit(input, 'arguments', [])
    if (problem !== null) throw new TypeError(problem)
    const body = Buffer.from(JSON.stringify(input))
    const most = this.bounds.argumentBytes
    if (body.length > most) {
      const message = `The arguments have ${String(body.length)} bytes of JSON; ${String(most)} are the most.`
      throw new ToolError('arguments_too_large', message)
    }
    if (this.#underWay >= this.bounds.atOnce) await new Promise<void>((go) => this.#queued.push(go))
    else this.#underWay += 1
    try {
      return await this.#send(tool, body)
    } finally {
      // The place goes to the next in line, where there is one.
      const next = this.#queued.shift()
      if (next === undefined) this.#underWay -= 1
      else next()
    }
  }

  async #send(tool: string, body: Buffer): Promise<unknown> {
    return await new Promise((resolve, reject) => {
      this.#last += 1
      this.#waiting.set(this.#last, { resolve, reject })
      send({ type: 'call', id: this.#last, tool }, body)
      if (!this.#reading) void this.#read()
    })
  }

  /** Reads as long as somebody waits, and no longer: an open read keeps the function from ending by itself. */
  async #read(): Promise<void> {
    this.#reading = true
    while (this.#waiting.size > 0) {
      const frame = await readLater((await readLater(4)).readUInt32BE(0))
      const split = 4 + frame.readUInt32BE(0)
      const answer = JSON.parse(frame.toString('utf8', 4, split)) as Answer
      const one = this.#waiting.get(answer.id)
      this.#waiting.delete(answer.id)
      if (answer.type === 'answer') one?.resolve(JSON.parse(frame.toString('utf8', split)))
      else one?.reject(new ToolError(answer.code, answer.message))
    }
    this.#reading = false
  }
}

/** The next bytes, without keeping the function from running. */
async function readLater(count: number): Promise<Buffer> {
  const buffer = Buffer.alloc(count)
  let done = 0
  while (done < count) {
    done += await new Promise<number>((resolve, reject) =>
      read(channel, buffer, done, count - done, null, (error, got) => (error === null ? resolve(got) : reject(error))),
    )
  }
  return buffer
}

/** `import { log } from 'mcpworks'`. */
function offer(exports: object): void {
  if (typeof Bun === 'undefined') return offerOnNode(exports)
  return Bun.plugin({
    name: 'mcpworks',
    setup: (build) => build.module('mcpworks', () => ({ exports, loader: 'object' })),
  })
}

/** Bun takes `./other` for `./other.ts`, so Node shall. */
const nextOf: module.ResolveHookSync = (specifier, context, next) => {
  try {
    return next(specifier, context)
  } catch (error) {
    if (!/^\.\.?\//.test(specifier) || /\.[cm]?[jt]s$/.test(specifier)) throw error
    return next(`${specifier}.ts`, context)
  }
}

/** Node takes a module from text only, so that what it exports has to lie where that text can reach it. */
function offerOnNode(exports: object): void {
  // The first use costs tens of milliseconds: not while a caller waits.
  module.stripTypeScriptTypes('')
  const [url, key] = ['mcpworks:module', Symbol.for('mcpworks')]
  Object.defineProperty(globalThis, key, { value: exports })
  const source = `export const { ${Object.keys(exports).join(', ')} } = globalThis[Symbol.for('mcpworks')]`
  module.registerHooks({
    resolve(specifier, context, next) {
      if (specifier === 'mcpworks') return { url, format: 'module', shortCircuit: true }
      const found = nextOf(specifier, context, next)
      // Said here, or Node would look for a package.json above each file, and complain that there is none.
      return found.url.startsWith(`file://${root}`) && found.url.endsWith('.ts')
        ? { ...found, format: 'module-typescript' }
        : found
    },
    load: (file, context, next) =>
      file === url ? { source, format: 'module', shortCircuit: true } : next(file, context),
  })
}

function place(order: Order, body: Buffer): Buffer {
  let offset = 0
  for (const [path, size] of order.files) {
    mkdirSync(dirname(root + path), { recursive: true })
    writeFileSync(root + path, body.subarray(offset, offset + size))
    chmodSync(root + path, 0o444)
    offset += size
  }
  return body.subarray(offset)
}

/** Only the function's own files, by their path in the function, one line a frame. */
function traceOf(error: unknown): string {
  const stack = error instanceof Error ? textIn(error, 'stack') : ''
  const frames: string[] = []
  for (const line of stack.split('\n')) {
    const found = /^\s*at (?:async )?(?:(?<name>.*?) \()?(?:file:\/\/)?\/fn\/(?<place>[^()]*?:\d+(?::\d+)?)\)?$/.exec(
      line,
    )
    if (found?.groups) frames.push(`    at ${found.groups['name'] ?? '<module>'} (${String(found.groups['place'])})`)
  }
  return `${kindOf(error)}: ${textOf(error)}\n${frames.join('\n')}`.trimEnd().slice(0, maxText)
}

/** A member that is text by its type, but which code can have set to anything. */
function textIn(error: Error, member: 'name' | 'stack'): string {
  const value: unknown = error[member]
  return typeof value === 'string' ? value : ''
}

function kindOf(error: unknown): string {
  if (error instanceof Error) return textIn(error, 'name').slice(0, 200)
  return error === null ? 'null' : typeof error
}

function textOf(error: unknown): string {
  try {
    return String(error instanceof Error ? error.message : error)
      .slice(0, maxText / 2)
      .replaceAll(root, '')
  } catch {
    return ''
  }
}

/** The limit that an error speaks of, if it speaks of one. */
function limitOf(error: unknown): string | null {
  if (!(error instanceof Error)) return null
  const { code, syscall } = error as { code?: unknown; syscall?: unknown }
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') return 'scratch'
  if (code === 'EMFILE' || code === 'ENFILE') return 'open-files'
  if (code === 'ENOMEM' || (error instanceof RangeError && /out of memory/i.test(error.message))) return 'memory'
  if (error.message === 'Failed to spawn worker thread') return 'processes'
  if ((code === 'EPERM' || code === 'EAGAIN') && typeof syscall === 'string' && /spawn|fork|exec/.test(syscall))
    return 'processes'
  return null
}

function loadProblem(error: unknown): string {
  const one = error as { position?: { file?: string; line?: number; column?: number; lineText?: string } | null }
  const at = one.position
  // Bun says it in `position`, Node in the first line of the stack.
  const onNode =
    error instanceof SyntaxError ? /^(?:file:\/\/)?\/fn\/(\S+:\d+)\n/.exec(error.stack ?? '')?.[1] : undefined
  const place = at?.file === undefined ? '' : `${at.file.replace(root, '')}:${String(at.line)}:${String(at.column)}: `
  const inner = error instanceof AggregateError ? `\n${error.errors.map(loadProblem).join('\n')}` : ''
  return at?.file === undefined && error instanceof Error
    ? `${onNode === undefined ? '' : `${onNode}: `}${traceOf(error)}${inner}`
    : `${place}${textOf(error)}${inner}`
}

/** What was thrown is the function's own, and may throw again where it is looked at. */
function report(error: unknown, loading: boolean): object {
  try {
    return reportOf(error, loading)
  } catch {
    const message = 'What was thrown cannot be told: it throws where it is looked at.'
    if (loading) return invalid(`The code could not be loaded. ${message}`)
    return { type: 'error', status: 'exception', kind: 'Error', message, trace: '' }
  }
}

function reportOf(error: unknown, loading: boolean): object {
  const limit = limitOf(error)
  if (limit !== null) return { type: 'error', status: 'limit', limit }
  if (loading) return invalid(`The code could not be loaded. ${loadProblem(error)}`)
  return { type: 'error', status: 'exception', kind: kindOf(error), message: textOf(error), trace: traceOf(error) }
}

/** A sentence on the first thing in a value that JSON cannot carry, or `null`. */
function misfit(value: unknown, path: string, above: readonly object[]): string | null {
  switch (typeof value) {
    case 'string':
      return value.isWellFormed() ? null : `${path} is text with a lone surrogate, which is no valid Unicode.`
    case 'boolean':
      return null
    case 'number':
      return Number.isFinite(value)
        ? null
        : `${path} is ${String(value)}, and JSON has no such number. Return null or a string.`
    case 'bigint':
      return `${path} is a bigint, which JSON cannot carry. Return a string or a number.`
    case 'undefined':
      return `${path} is undefined. Return null to say that there is nothing.`
    case 'function':
    case 'symbol':
      return `${path} is a ${typeof value}, which JSON cannot carry.`
    case 'object':
      return value === null ? null : misfitInObject(value, path, above)
  }
}

function misfitInObject(value: object, path: string, above: readonly object[]): string | null {
  if (above.includes(value)) return `${path} contains itself. JSON cannot carry a circular structure.`
  if (above.length > 100) return `${path.slice(0, 200)} is nested more than 100 deep.`
  const inside = [...above, value]
  if (value instanceof Map || value instanceof Set || value instanceof WeakMap || value instanceof Promise) {
    return `${path} is a ${value.constructor.name}, which JSON cannot carry. Return an object or an array.`
  }
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer)
    return `${path} is binary. Return text, for example base64.`
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      const found = misfit(item, `${path}[${String(index)}]`, inside)
      if (found !== null) return found
    }
    return null
  }
  const { toJSON } = value as { toJSON?: unknown }
  if (typeof toJSON === 'function') return misfit(Reflect.apply(toJSON, value, ['']), path, inside)
  for (const [key, item] of Object.entries(value)) {
    if (!key.isWellFormed()) return `${path} has a key with a lone surrogate, which is no valid Unicode.`
    // As everywhere in JavaScript, a member that is undefined is a member that is not there.
    const found = item === undefined ? null : misfit(item, `${path}[${JSON.stringify(key).slice(0, 60)}]`, inside)
    if (found !== null) return found
  }
  return null
}

function answer(value: unknown, limitBytes: number): never {
  const problem = misfit(value, 'result', [])
  if (problem !== null) finish(invalid(`The function returned what JSON cannot carry: ${problem}`))
  const text = Buffer.from(JSON.stringify(value))
  if (text.length > limitBytes) finish({ type: 'error', status: 'limit', limit: 'result' })
  finish({ type: 'result' }, text)
}

function invalid(message: string): object {
  return { type: 'error', status: 'invalid', message: message.slice(0, maxText) }
}

function pick(module: { readonly [name: string]: unknown }, entry: Order['entry']): unknown {
  const named = module[entry.name]
  if (named !== undefined) return named
  const fallback = module['default']
  return typeof fallback === 'function' && fallback.name === entry.name ? fallback : undefined
}

async function run(calls: Calls): Promise<void> {
  const { header, body } = receive()
  const order = header as Order
  calls.bounds = order.calls
  let loading = true
  const giveUp = (error: unknown): never => finish(report(error, loading))
  process.on('uncaughtException', giveUp)
  process.on('unhandledRejection', giveUp)
  try {
    const input: unknown = JSON.parse(place(order, body).toString('utf8'))
    process.chdir(root)
    const module = (await import(root + order.entry.file)) as { readonly [name: string]: unknown }
    loading = false
    const target = pick(module, order.entry)
    if (typeof target !== 'function') {
      const what = target === undefined ? 'exports no' : 'exports something that is no function as'
      finish(invalid(`${order.entry.file} ${what} ${order.entry.name}.`))
    }
    answer(await Reflect.apply(target, undefined, [input]), order.resultBytes)
  } catch (error) {
    giveUp(error)
  }
}

/** Started by one that has bound this process before it became this program: what is left is to say that it is ready. */
const sealedNonce = process.argv[2] === '--sealed' ? (process.argv[3] ?? '') : null
if (process.argv.includes('--channel-on-stdin')) takeChannel()
const calls = new Calls()

/** Calls another tool of the namespace on behalf of the caller. Rejects with a `ToolError` where it is refused or fails. */
const call = async (tool: string, input: object = {}): Promise<unknown> => await calls.make(tool, input)

offer({ ToolError, call, log, progress })
send({ type: 'ready', version: 1, nonce: sealedNonce ?? sealed() })
process.on('beforeExit', () => {
  finish({
    type: 'error',
    status: 'exception',
    kind: 'NeverSettled',
    message: 'The function waits for a promise that nothing can settle any more.',
    trace: '',
  })
})
// Not awaited here: an await at the top of a module keeps Bun's loop spinning when nothing is left to wait for.
void run(calls)
