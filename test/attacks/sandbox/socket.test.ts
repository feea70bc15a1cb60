import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Runtime, Sandbox, SandboxEvents, SandboxLimits } from '../../../src/sandbox/index.ts'
import { openSandbox, run } from './hosted-code.ts'

let sandbox: Sandbox

beforeAll(async () => {
  sandbox = await openSandbox()
})

afterAll(async () => {
  await sandbox.close()
})

// I16 of design/threats.md: what code in the sandbox can say is said on a socket of its own, as nobody but itself.

/** Speaks the runner protocol by hand on the descriptor of the jail's channel. */
const tools: Readonly<Record<Runtime, string>> = {
  python: `
import json, struct, time
def frame(header, body=b''):
    head = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack('>II', 4 + len(head) + len(body), len(head)) + head + body
def send(data):
    data = memoryview(data)
    while data: data = data[os.write(3, data):]
def receive():
    def exactly(count):
        whole = b''
        while len(whole) < count: whole += os.read(3, count - len(whole))
        return whole
    rest = exactly(struct.unpack('>I', exactly(4))[0])
    split = 4 + struct.unpack('>I', rest[:4])[0]
    return json.loads(rest[4:split]), rest[split:]
def rest():
    while True: time.sleep(60)
`,
  typescript: `
const frame = (header: unknown, body = Buffer.alloc(0)): Buffer => {
  const head = Buffer.isBuffer(header) ? header : Buffer.from(JSON.stringify(header))
  const prefix = Buffer.alloc(8)
  prefix.writeUInt32BE(4 + head.length + body.length, 0)
  prefix.writeUInt32BE(head.length, 4)
  return Buffer.concat([prefix, head, body])
}
const send = (data: Buffer): void => { for (let done = 0; done < data.length; ) done += fs.writeSync(3, data, done) }
const rest = (): void => { for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0) }
`,
}

const invalid = { status: 'invalid', message: 'The function wrote to the channel that carries its result.' }
const result = { status: 'limit', limit: 'result', message: 'result: more than 1 MiB returned' }
const flood = { status: 'limit', limit: 'output' }
const wall = { status: 'limit', limit: 'wall', message: 'wall: 700 ms reached' }

interface Attack {
  readonly what: string
  readonly runtime: Runtime
  readonly code: string
  readonly ends: object
  readonly limits?: Partial<SandboxLimits>
}

const python = (what: string, lines: string, ends: object, limits: Partial<SandboxLimits> = {}): Attack => ({
  what,
  runtime: 'python',
  code: `def main(_):\n${lines
    .trim()
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n')}`,
  ends,
  limits,
})
const typescript = (what: string, body: string, ends: object, limits: Partial<SandboxLimits> = {}): Attack => ({
  what,
  runtime: 'typescript',
  code: `export function main() { ${body} }`,
  ends,
  limits,
})

const attacks: readonly Attack[] = [
  python('text', `send(b'\\0\\0\\0\\x20hello, this is no frame at all. really'); rest()`, invalid),
  python('a second ready', `send(frame({'type': 'ready', 'version': 1, 'nonce': 'x'})); rest()`, invalid),
  python('a message of no known type', `send(frame({'type': 'outcome', 'status': 'ok'})); rest()`, invalid),
  python('a frame that is shorter than its prefix', `send(struct.pack('>I', 3)); rest()`, invalid),
  python('a header that is longer than its frame', `send(struct.pack('>II', 8, 9)); rest()`, invalid),
  python('a length of two gigabytes', `send(struct.pack('>I', 0x7fffffff)); rest()`, result),
  python('a header over its bound', `send(struct.pack('>II', 300004, 300000)); rest()`, result),
  python('a result over its bound', `send(frame({'type': 'result'}, b'"' + b'x' * (1 << 20) + b'"')); rest()`, result),
  python('a header nested 100,000 deep', `send(frame(b'[' * 100000 + b']' * 100000)); rest()`, invalid),
  python('a member nested deeply', `send(frame(b'{"type":' + b'[' * 50 + b']' * 50 + b'}')); rest()`, invalid),
  python('a header that is not UTF-8', `send(frame(b'{"type":"result\\xff"}')); rest()`, invalid),
  python('a header with a byte order mark', `send(frame(b'\\xef\\xbb\\xbf{"type":"result"}', b'1')); rest()`, invalid),
  python(
    'a number beyond all numbers',
    `send(frame(b'{"type":"progress","progress":1e999,"total":null,"message":null}')); rest()`,
    invalid,
  ),
  python('__proto__ as a member', `send(frame(b'{"type":"result","__proto__":{}}', b'1')); rest()`, invalid),
  python('__proto__ instead of members', `send(frame(b'{"__proto__":{"type":"result"}}', b'1')); rest()`, invalid),
  python('a result of infinity', `send(frame({'type': 'result'}, b'[1e999]')); rest()`, invalid),
  python('a result that is not JSON', `send(frame({'type': 'result'}, b'{')); rest()`, invalid),
  python('a result nested deeply', `send(frame({'type': 'result'}, b'[' * 9999 + b']' * 9999)); rest()`, invalid),
  python('half a prefix and then nothing', `send(b'\\0\\0'); rest()`, wall, { wallMs: 700 }),
  python('half a frame and then nothing', `send(frame({'type': 'result'}, b'1234')[:-1]); rest()`, wall, {
    wallMs: 700,
  }),
  python('half a frame and then an end', `send(frame({'type': 'result'}, b'1234')[:-1]); os._exit(0)`, {
    status: 'exception',
    kind: 'ProcessExit',
  }),
  python(
    'frames of progress for ever',
    `
data = frame({'type': 'progress', 'progress': 1, 'total': None, 'message': None}) * 1000
while True: send(data)`,
    flood,
  ),
  python(
    'frames of progress for ever, one byte at a time',
    `
data = frame({'type': 'progress', 'progress': 1, 'total': None, 'message': None})
while True:
    for byte in data: os.write(3, bytes((byte,)))`,
    wall,
    { wallMs: 700 },
  ),
  python(
    'frames with large bodies for ever',
    `
data = frame({'type': 'log', 'level': 'info', 'text': ''}, b'x' * 1000000)
while True: send(data)`,
    flood,
  ),
  python(
    'calls for ever, without waiting',
    `
number = 0
while True:
    number += 1
    send(frame({'type': 'call', 'id': number, 'tool': 'silent'}, b'{}'))`,
    invalid,
    { innerCalls: 1000 },
  ),
  python(
    'calls with large answers, without reading one',
    `
for number in range(1, 1000):
    send(frame({'type': 'call', 'id': number, 'tool': 'large'}, b'{}'))
    time.sleep(0.01)
rest()`,
    invalid,
    { innerCalls: 1000 },
  ),
  python(
    'a call under a number that was used',
    `
for _ in range(2): send(frame({'type': 'call', 'id': 1, 'tool': 'echo'}, b'{}'))
rest()`,
    invalid,
  ),
  python(
    'a call of a tool with a name that cannot be',
    `
send(frame({'type': 'call', 'id': 1, 'tool': '../x y'}, b'{}')); rest()`,
    invalid,
  ),
  python(
    'a call with arguments over their bound',
    `
send(frame({'type': 'call', 'id': 1, 'tool': 'echo'}, b'"' + b'x' * (1 << 20) + b'"')); rest()`,
    result,
  ),
  python('an answer of its own', `send(frame({'type': 'answer', 'id': 1}, b'1')); rest()`, invalid),
  python('nothing, and closes the channel', `os.close(3); rest()`, wall, { wallMs: 700 }),
  python('nothing, and reads the channel for ever', `os.read(3, 1)`, wall, { wallMs: 700 }),
  typescript('text', `send(Buffer.from('\\0\\0\\0\\x20hello, this is no frame at all. really')); rest()`, invalid),
  typescript('a second ready', `send(frame({ type: 'ready', version: 1, nonce: 'x' })); rest()`, invalid),
  typescript(
    'a header nested 100,000 deep',
    `send(frame(Buffer.from('['.repeat(1e5) + ']'.repeat(1e5)))); rest()`,
    invalid,
  ),
  typescript(
    'half a frame and then nothing',
    `send(frame({ type: 'result' }, Buffer.from('1234')).subarray(0, -1)); rest()`,
    wall,
    { wallMs: 700 },
  ),
  typescript(
    'frames of progress for ever',
    `
    const data = Buffer.concat(Array(1000).fill(frame({ type: 'progress', progress: 1, total: null, message: null })))
    for (;;) send(data)`,
    flood,
  ),
]

const events: SandboxEvents = {
  async onCall({ tool, argumentsJson }) {
    if (tool === 'silent') return await new Promise(() => undefined)
    return { ok: true, resultJson: tool === 'large' ? JSON.stringify('x'.repeat(1_000_000)) : argumentsJson }
  },
}

describe('hosted code that writes on its channel', () => {
  test.each(attacks)(
    '$what ($runtime) ends with a named outcome, and the next call works',
    async ({ runtime, code, ends, limits = {} }) => {
      const outcome = await run(sandbox, runtime, tools[runtime] + code, { limits, ...events })
      expect(outcome).toMatchObject(ends)
      const next = await run(
        sandbox,
        runtime,
        { python: 'def main(_): return 1', typescript: 'export const main = () => 1' }[runtime],
      )
      expect(next).toMatchObject({ status: 'ok', resultJson: '1' })
    },
  )

  test('a result of the right form has given its result: nothing after it counts', async () => {
    const code = `def main(_):
    send(frame({'type': 'result'}, b'"mine"') + b'garbage' + frame({'type': 'result'}, b'"another"'))
    rest()`
    expect(await run(sandbox, 'python', tools.python + code)).toMatchObject({ status: 'ok', resultJson: '"mine"' })
  })

  test('calls of the right form is answered in that form, and arguments that are not JSON are refused', async () => {
    const code = `def main(_):
    found = []
    for number, body in ((1, b'{"a": 1}'), (7, b'{'), (8, b'[' * 500 + b']' * 500)):
        send(frame({'type': 'call', 'id': number, 'tool': 'echo'}, body))
        header, answer = receive()
        found.append([header['type'], header['id'], header.get('code'), answer.decode()])
    return found`
    const outcome = await run(sandbox, 'python', tools.python + code, events)
    expect(outcome).toMatchObject({ status: 'ok' })
    expect(JSON.parse((outcome as { resultJson: string }).resultJson)).toEqual([
      ['answer', 1, null, '{"a": 1}'],
      ['refusal', 7, 'arguments_invalid', ''],
      ['refusal', 8, 'arguments_invalid', ''],
    ])
  })

  test('cannot be answered for a call of another execution', async () => {
    const code = (own: string): string =>
      `${tools.python}def main(_):
    send(frame({'type': 'call', 'id': 1, 'tool': 'echo'}, b'"${own}"'))
    return receive()[1].decode()`
    const owners = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
    const outcomes = await Promise.all(owners.map(async (own) => await run(sandbox, 'python', code(own), events)))
    expect(outcomes.map((outcome) => (outcome.status === 'ok' ? outcome.resultJson : outcome))).toEqual(
      owners.map((own) => JSON.stringify(JSON.stringify(own))),
    )
  })

  test('and returns while a large answer is on its way to it has returned, whichever comes first', async () => {
    const code = `import mcpworks, threading, time
def main(seconds):
    threading.Thread(target=mcpworks.call, args=('large', {}), daemon=True).start()
    time.sleep(seconds)
    return 1`
    const seconds = Array.from({ length: 60 }, (_, index) => index / 6000)
    const outcomes = await Promise.all(
      seconds.map(async (input) => await run(sandbox, 'python', code, { input, ...events })),
    )
    for (const outcome of outcomes) expect(outcome).toMatchObject({ status: 'ok', resultJson: '1' })
  })

  test('is not there when an input comes that its memory cannot hold: that is named too', async () => {
    const outcome = await run(sandbox, 'python', 'def main(input): return len(input)', {
      input: 'x'.repeat(90 * 1024 * 1024),
      limits: { memoryBytes: 64 * 1024 * 1024 },
    })
    expect(outcome).toMatchObject({ status: 'limit', limit: 'memory', message: 'memory: 64 MiB reached' })
    const enough = await run(sandbox, 'python', 'def main(input): return len(input)', {
      input: 'x'.repeat(20 * 1024 * 1024),
    })
    expect(enough).toMatchObject({ status: 'ok', resultJson: String(20 * 1024 * 1024) })
  })
})
