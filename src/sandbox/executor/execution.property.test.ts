import { Duplex, Readable } from 'node:stream'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeFrame } from '../protocol/frame.ts'
import type { Jail, JailEnd } from '../sandbox-engine.ts'
import type { InnerAnswer, SandboxOutcome, SandboxSpec } from '../sandbox.ts'
import { execute } from './execution.ts'
import { SealedJail } from './sealed-jail.ts'

/** More by hand: `FUZZ_RUNS=1000000 npx vitest run --project unit execution.property --testTimeout 100000000`. */
const runs = Number(process.env['FUZZ_RUNS'] ?? 1000)
/** Of no process: Linux gives none beyond 2^22. */
const noPid = 5_000_000
const facts = { engine: 'streams', profile: 'none', profileHash: 'sha256:0' } as const
const spec: SandboxSpec = {
  id: 'fuzz',
  runtime: 'python',
  files: new Map([['main.py', Buffer.from('pass')]]),
  entry: { file: 'main.py', name: 'main' },
  inputJson: '{}',
  limits: {
    wallMs: 60_000,
    cpuMs: 60_000,
    memoryBytes: 2 ** 30,
    processes: 8,
    openFiles: 64,
    scratchBytes: 2 ** 20,
    resultBytes: 500,
    outputBytes: 100,
    innerCalls: 6,
  },
}

/** A jail of which only the channel is there: sends the pieces once it has been given code, then ends by itself. */
function streamJail(nonce: string, pieces: readonly Uint8Array[]): Jail {
  const ended = Promise.withResolvers<JailEnd>()
  let writes = 0
  const channel = new Duplex({
    read: () => undefined,
    write(_chunk, _encoding, done) {
      writes += 1
      if (writes === 1) this.push(encodeFrame({ type: 'ready', version: 1, nonce }))
      if (writes === 2) {
        for (const piece of pieces) this.push(piece)
        this.push(null)
      }
      done()
    },
  })
  channel.on('end', () => ended.resolve({ exitCode: 0 }))
  const empty = (): Readable => Readable.from([])
  return {
    channel,
    stdout: empty(),
    stderr: empty(),
    pid: Promise.resolve(noPid),
    ended: ended.promise,
    kill: () => ended.resolve({ exitCode: null }),
  }
}

interface Observed {
  readonly outcome: SandboxOutcome
  readonly texts: readonly string[]
  readonly calls: readonly string[]
}

/** Runs an execution of which this is all that comes out. */
async function observe(pieces: readonly Uint8Array[]): Promise<Observed> {
  const sealed = await SealedJail.make(streamJail('n', pieces), {
    setup: encodeFrame({}),
    nonce: 'n',
    unsealedReason: () => null,
    group: null,
  })
  if (!sealed.ok) throw new Error(sealed.why)
  const texts: string[] = []
  const calls: string[] = []
  const outcome = await execute(sealed.jail, spec, facts, {
    onLog: (_, text) => texts.push(text),
    onProgress: (_, __, text) => texts.push(text ?? ''),
    async onCall({ tool, argumentsJson }): Promise<InnerAnswer> {
      calls.push(`${tool} ${argumentsJson}`)
      return { ok: true, resultJson: argumentsJson }
    },
  })
  return { outcome, texts, calls }
}

const sentences: Readonly<Record<string, RegExp>> = {
  ok: /^$/,
  // An exception may have no text.
  exception: /^/,
  invalid: /^(?:The function wrote to the channel that carries its result\.|invalid )/,
  limit: /^(?:output|result|inner-calls|memory|scratch|open-files|processes): /,
}

/** What must hold whatever was sent. */
function expectBounded({ outcome, texts, calls }: Observed): void {
  const message = 'message' in outcome ? outcome.message : ''
  expect(message).toMatch(sentences[outcome.status] ?? /no such status/)
  if (outcome.status === 'ok') {
    expect(outcome.resultJson.length).toBeLessThanOrEqual(spec.limits.resultBytes)
    expect(JSON.stringify(JSON.parse(outcome.resultJson)).isWellFormed()).toBe(true)
  }
  expect(calls.length).toBeLessThanOrEqual(spec.limits.innerCalls)
  for (const call of calls) expect(() => void JSON.parse(call.slice(call.indexOf(' ')))).not.toThrow()
  expect([...texts, message].every((text) => text.isWellFormed() && text.length <= 16_000)).toBe(true)
}

const text = fc.string({ unit: 'binary', maxLength: 30 })
const chatter = fc.oneof(
  fc.record({ type: fc.constant('log'), level: fc.constantFrom('debug', 'info', 'warning', 'error'), text }),
  fc.record({
    type: fc.constant('progress'),
    progress: fc.double({ noNaN: true, noDefaultInfinity: true }),
    total: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })),
    message: fc.option(text),
  }),
)
const last = fc.oneof(
  fc.json({ maxDepth: 3 }).map((json) => encodeFrame({ type: 'result' }, Buffer.from(json))),
  fc
    .record({ type: fc.constant('error'), status: fc.constant('exception'), kind: text, message: text, trace: text })
    .map((header) => encodeFrame(header)),
  fc.constantFrom('memory', 'scratch', 'result').map((limit) => encodeFrame({ type: 'error', status: 'limit', limit })),
)
/** What an honest runner sends: chatter and calls with growing ids, then one answer. */
const honest = fc
  .tuple(fc.array(fc.oneof(chatter, fc.constant('call' as const)), { maxLength: 8 }), last)
  .map(([messages, end]) => {
    let id = 0
    return [
      ...messages.map((message) =>
        message === 'call'
          ? encodeFrame({ type: 'call', id: (id += 1), tool: 'leads-top' }, Buffer.from(`{"n":${id}}`))
          : encodeFrame(message),
      ),
      end,
    ]
  })

/** Headers that a runner never sends, some of them nearly right. */
const hostileHeader = fc
  .oneof(
    fc.constantFrom(
      '{"type":"ready","version":1,"nonce":"n"}',
      '{"type":"result","type":"log"}',
      '{"type":"result","__proto__":{"type":"log"}}',
      '{"__proto__":{"type":"result"}}',
      '{"type":"constructor"}',
      '{"type":"progress","progress":1e999,"total":null,"message":null}',
      '{"type":"progress","progress":-1e999,"total":null,"message":null}',
      '{"type":"call","id":1e999,"tool":"x"}',
      '{"type":"call","id":-1,"tool":"x"}',
      '{"type":"call","id":1.5,"tool":"x"}',
      '{"type":"call","id":9007199254740993,"tool":"x"}',
      '{"type":"call","id":1,"tool":"../../x y"}',
      '{"type":"log","level":"info","text":"\\ud800"}',
      `{"type":"log","level":"info","text":"${'x'.repeat(16_001)}"}`,
      `{"type":${'['.repeat(1000)}${']'.repeat(1000)}}`,
      '\uFEFF{"type":"result"}',
      '[]',
      'null',
      '',
    ),
    fc.json({ maxDepth: 4 }),
  )
  .map((json) => {
    const head = Buffer.from(json)
    const prefix = Buffer.alloc(8)
    prefix.writeUInt32BE(4 + head.length, 0)
    prefix.writeUInt32BE(head.length, 4)
    return Buffer.concat([prefix, head])
  })

type Change = (bytes: Uint8Array) => Uint8Array
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(fc.nat(), fc.nat({ max: 255 })).map(([at, value]): Change => (bytes) => {
    const copy = Buffer.from(bytes)
    if (copy.length > 0) copy[at % copy.length] = value
    return copy
  }),
  fc.tuple(fc.nat(), fc.nat({ max: 40 })).map(([at, count]): Change => (bytes) => {
    const place = at % (bytes.length + 1)
    return Buffer.concat([bytes.subarray(0, place), bytes.subarray(place + count)])
  }),
  fc
    .tuple(fc.nat(), fc.oneof(fc.uint8Array({ maxLength: 40 }), hostileHeader))
    .map(([at, added]): Change => (bytes) => {
      const place = at % (bytes.length + 1)
      return Buffer.concat([bytes.subarray(0, place), added, bytes.subarray(place)])
    }),
  fc.nat().map(
    (at): Change =>
      (bytes) =>
        bytes.subarray(0, at % (bytes.length + 1)),
  ),
)
const places = fc.array(fc.nat(), { maxLength: 12 })

/** Cuts bytes at arbitrary places. */
function cut(bytes: Uint8Array, at: readonly number[]): Uint8Array[] {
  const ends = [...new Set([...at.map((each) => each % (bytes.length + 1)), bytes.length])].toSorted((a, b) => a - b)
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end)).filter((piece) => piece.length > 0)
}

/** What does not depend on time. */
function judged({ outcome, texts, calls }: Observed): object {
  const { usage: _, ...rest } = outcome
  return { rest, texts, calls }
}

describe('what comes out of a jail', () => {
  test('is taken as it was meant where it is honest, in whatever pieces it comes', async () => {
    await fc.assert(
      fc.asyncProperty(honest, places, async (frames, at) => {
        const observed = await observe(cut(Buffer.concat(frames), at))
        expectBounded(observed)
        expect(observed.outcome.status).not.toBe('invalid')
        expect(judged(observed)).toEqual(judged(await observe(frames)))
      }),
      { numRuns: runs },
    )
  })

  test('ends the execution with a named outcome where it was tampered with, the same in whatever pieces it comes', async () => {
    await fc.assert(
      fc.asyncProperty(
        honest,
        fc.array(change, { minLength: 1, maxLength: 4 }),
        places,
        async (frames, changes, at) => {
          const bytes = changes.reduce<Uint8Array>((all, apply) => apply(all), Buffer.concat(frames))
          const observed = await observe(cut(bytes, at))
          expectBounded(observed)
          expect(judged(observed)).toEqual(judged(await observe(bytes.length === 0 ? [] : [bytes])))
        },
      ),
      { numRuns: runs },
    )
  })

  test('ends the execution with a named outcome where it is made of hostile frames or random bytes', async () => {
    const piece = fc.oneof(hostileHeader, fc.uint8Array({ minLength: 1, maxLength: 60 }))
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 6 }), async (pieces) => {
        const observed = await observe(pieces)
        expectBounded(observed)
        expect(observed.outcome.status).not.toBe('killed')
      }),
      { numRuns: runs },
    )
  })

  test('is of no effect after the result', async () => {
    await fc.assert(
      fc.asyncProperty(honest, fc.array(hostileHeader, { minLength: 1, maxLength: 3 }), async (frames, after) => {
        const all = [...frames, ...after, ...frames]
        expect(judged(await observe([Buffer.concat(all)]))).toEqual(judged(await observe(frames)))
      }),
      { numRuns: runs / 4 },
    )
  })
})
