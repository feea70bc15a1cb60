import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { realpathSync } from 'node:fs'
import type { Duplex } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import type { JsonObject } from '../../src/kernel/index.ts'
import { nodeLayout } from '../../src/sandbox/layout/runtime-layout.ts'
import { encodeFrame, FrameReader, type Frame } from '../../src/sandbox/protocol/frame.ts'

const runner = fileURLToPath(new URL('../../src/sandbox/runner/typescript-runner.ts', import.meta.url))
const nonce = 'nonce-of-this-test'

/**
 * The runner on Node with what its layout shows and nothing else, unbound: what it speaks is looked at here, not what holds
 * it. Returns all that it sends until its last message.
 */
async function runOnNode(files: Record<string, string>, input: unknown = {}): Promise<readonly Frame[]> {
  const { binds, links, command, procfs } = await nodeLayout(realpathSync(process.execPath), runner)
  expect(procfs).toBeNull()
  const shown = binds.flatMap(([host, inside]) => ['--ro-bind', host, inside])
  const linked = links.flatMap(([target, path]) => ['--symlink', target, path])
  const places = ['--dev', '/dev', '--tmpfs', '/fn', '--tmpfs', '/tmp']
  const jail = ['--unshare-all', '--as-pid-1', '--die-with-parent', '--clearenv', ...shown, ...linked, ...places, '--']
  const child = spawn('/usr/bin/bwrap', [...jail, ...command, '--sealed', nonce], {
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
  })
  const ended = once(child, 'close')
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const channel = child.stdio[3] as Duplex
  const paths = Object.entries(files).map(([path, text]) => [path, Buffer.byteLength(text)])
  const [[entry] = []] = paths
  const order = {
    entry: { file: entry, name: 'main' },
    files: paths,
    resultBytes: 1000,
    calls: { atOnce: 1, argumentBytes: 100 },
  }
  const body = Buffer.from(Object.values(files).join('') + JSON.stringify(input))
  const reader = new FrameReader({ headerBytes: 65_536, bodyBytes: 65_536 })
  const said: Frame[] = []
  for await (const chunk of channel as AsyncIterable<Buffer>) {
    for (const frame of reader.push(chunk)) {
      said.push(frame)
      const { type, id } = frame.header as { readonly type: string; readonly id?: number }
      if (type === 'ready') channel.write(encodeFrame(order, body))
      if (type === 'call') channel.write(encodeFrame({ type: 'answer', id }, Buffer.from('{"answer":42}')))
      if (type === 'result' || type === 'error') return said
    }
  }
  throw new Error(`the runner ended after ${JSON.stringify(said)}`)
}

function headers(frames: readonly Frame[]): readonly JsonObject[] {
  return frames.map(({ header }) => header)
}

test('says that it is ready with the nonce it was given, runs TypeScript, logs, calls a tool and answers', async () => {
  const source = `import { call, log } from 'mcpworks'
import { twice } from './lib/twice'
enum Kind { First = 4 }
export async function main(input: { n: number }): Promise<object> {
  log('started')
  return { twice: twice(input.n), kind: Kind.First, ...(await call('other/tool')) as object, bun: 'bun' in process.versions }
}
`
  const helper = 'export const twice = (n: number): number => 2 * n\n'
  const said = await runOnNode({ 'main.ts': source, 'lib/twice.ts': helper }, { n: 21 })
  expect(headers(said)).toEqual([
    { type: 'ready', version: 1, nonce },
    { type: 'log', level: 'info', text: 'started' },
    { type: 'call', id: 1, tool: 'other/tool' },
    { type: 'result' },
  ])
  expect(Buffer.from(said.at(-1)?.body ?? []).toString()).toBe('{"twice":42,"kind":4,"answer":42,"bun":false}')
})

test('an exception is told with the frames of the function alone', async () => {
  const said = await runOnNode({ 'main.ts': 'export function main(): void {\n  throw new TypeError("bad")\n}\n' })
  expect(headers(said).at(-1)).toEqual({
    type: 'error',
    status: 'exception',
    kind: 'TypeError',
    message: 'bad',
    trace: 'TypeError: bad\n    at main (main.ts:2:9)',
  })
})

test('a mistake in the code is told with its line', async () => {
  const said = await runOnNode({ 'main.ts': 'export function main() {\n  const a = ;\n}\n' })
  expect(headers(said).at(-1)).toEqual({
    type: 'error',
    status: 'invalid',
    message: 'The code could not be loaded. main.ts:2: SyntaxError: Expression expected',
  })
})

test('a promise that nothing can settle is an error, not a wait', async () => {
  const said = await runOnNode({ 'main.ts': 'export const main = (): Promise<void> => new Promise(() => {})\n' })
  expect(headers(said).at(-1)).toMatchObject({ type: 'error', status: 'exception', kind: 'NeverSettled' })
})
