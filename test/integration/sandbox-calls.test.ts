import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sandboxConfigSchema, startSandbox } from '../../src/sandbox/index.ts'
import type {
  InnerAnswer,
  InnerCall,
  Runtime,
  Sandbox,
  SandboxEvents,
  SandboxLimits,
  SandboxOutcome,
} from '../../src/sandbox/index.ts'
import { engineUnderTest } from '../support/engine-under-test.ts'

const mebibyte = 1024 * 1024
const limits: SandboxLimits = {
  wallMs: 20_000,
  cpuMs: 20_000,
  memoryBytes: 512 * mebibyte,
  processes: 16,
  openFiles: 64,
  scratchBytes: mebibyte,
  resultBytes: 65_536,
  outputBytes: 1000,
  innerCalls: 100,
}
let sandbox: Sandbox

async function run(
  runtime: Runtime,
  code: string,
  events: SandboxEvents,
  more: { readonly limits?: Partial<SandboxLimits>; readonly depth?: number } = {},
): Promise<SandboxOutcome> {
  const file = runtime === 'python' ? 'main.py' : 'main.ts'
  return await sandbox.run(
    {
      id: 'test',
      runtime,
      files: new Map([[file, Buffer.from(code)]]),
      entry: { file, name: 'main' },
      inputJson: '{}',
      limits: { ...limits, ...more.limits },
      depth: more.depth ?? 0,
    },
    events,
  )
}

/** Answers with the name and the arguments of the call; refuses the tool "refused". */
const echo = async ({ tool, argumentsJson }: InnerCall): Promise<InnerAnswer> =>
  tool === 'refused'
    ? { ok: false, code: 'denied', message: 'A policy forbids this call.' }
    : { ok: true, resultJson: `{"tool":${JSON.stringify(tool)},"arguments":${argumentsJson}}` }

/** The same program in both languages. */
const programs = {
  one: {
    python: 'from mcpworks import call\ndef main(_):\n  return call("leads-top", {"n": 1, "text": "é😀"})',
    typescript: 'import { call } from "mcpworks"\nexport const main = () => call("leads-top", { n: 1, text: "é😀" })',
  },
  refused: {
    python: `
from mcpworks import ToolError, call
def main(_):
  try: call("refused")
  except ToolError as error: return [error.code, str(error)]`,
    typescript: `
import { ToolError, call } from "mcpworks"
export async function main() {
  try { await call("refused") }
  catch (error) { if (error instanceof ToolError) return [error.code, error.message] }
}`,
  },
  uncaught: {
    python: 'from mcpworks import call\ndef main(_):\n  return call("refused")',
    typescript: 'import { call } from "mcpworks"\nexport const main = () => call("refused")',
  },
  many: {
    python: `
import threading
from mcpworks import call
def main(_):
  found = []
  def one(n):
    for each in range(5): found.append(call("x-y", {"n": n * 5 + each})["arguments"]["n"])
  threads = [threading.Thread(target=one, args=(n,)) for n in range(12)]
  for thread in threads: thread.start()
  for thread in threads: thread.join()
  return sorted(found)`,
    typescript: `
import { call } from "mcpworks"
export async function main() {
  const answers = await Promise.all(Array.from({ length: 60 }, (_, n) => call("x-y", { n })))
  return answers.map((answer) => answer.arguments.n)
}`,
  },
  endless: {
    python: 'from mcpworks import call\ndef main(_):\n  while True: call("x-y")',
    typescript: 'import { call } from "mcpworks"\nexport async function main() { for (;;) await call("x-y") }',
  },
} as const satisfies Record<string, Record<Runtime, string>>

describe.each([
  ['python', 'fast'],
  ['python', 'fresh'],
  ['typescript', 'fast'],
  ['typescript', 'fresh'],
] as const)('a %s function in mode %s', (runtime, mode) => {
  beforeAll(async () => {
    sandbox = await startSandbox(sandboxConfigSchema.parse({ ...engineUnderTest, concurrency: 1, mode }))
  })

  afterAll(async () => {
    await sandbox.close()
  })

  test('calls another tool and gets what it returned', async () => {
    const outcome = await run(runtime, programs.one[runtime], { onCall: echo })
    expect(outcome).toMatchObject({ status: 'ok' })
    expect(JSON.parse((outcome as { resultJson: string }).resultJson)).toEqual({
      tool: 'leads-top',
      arguments: { n: 1, text: 'é😀' },
    })
  })

  test('gets a refusal as a ToolError with a code and a sentence', async () => {
    const outcome = await run(runtime, programs.refused[runtime], { onCall: echo })
    expect(outcome).toMatchObject({ status: 'ok', resultJson: '["denied","A policy forbids this call."]' })
  })

  test('that does not catch it fails with it', async () => {
    const outcome = await run(runtime, programs.uncaught[runtime], { onCall: echo })
    expect(outcome).toMatchObject({ status: 'exception', message: 'A policy forbids this call.' })
    expect((outcome as { kind: string }).kind).toMatch(/ToolError$/)
  })

  test('is told that it may not call where nobody answers', async () => {
    const outcome = await run(runtime, programs.one[runtime], {})
    expect(outcome).toMatchObject({ status: 'exception', message: 'This function may not call tools.' })
  })

  test('may make many calls at once, of which sixteen at most are under way', async () => {
    let underWay = 0
    let most = 0
    // As many as there are threads to make them, and never more than sixteen.
    const atOnce = { python: 12, typescript: 16 }[runtime]
    const reached = Promise.withResolvers<void>()
    const outcome = await run(runtime, programs.many[runtime], {
      async onCall(call) {
        most = Math.max(most, (underWay += 1))
        if (most === atOnce) reached.resolve()
        await reached.promise
        await new Promise((resolve) => setImmediate(resolve))
        underWay -= 1
        return await echo(call)
      },
    })
    expect(outcome).toMatchObject({ status: 'ok', resultJson: JSON.stringify(Array.from({ length: 60 }, (_, n) => n)) })
    expect(most).toBe(atOnce)
  })

  test('is ended at its limit of calls, and the outcome names it', async () => {
    let made = 0
    const outcome = await run(
      runtime,
      programs.endless[runtime],
      {
        async onCall(call) {
          made += 1
          return await echo(call)
        },
      },
      { limits: { innerCalls: 10 } },
    )
    expect(outcome).toMatchObject({ status: 'limit', limit: 'inner-calls', message: 'inner-calls: 10 reached' })
    expect(made).toBe(10)
  })

  test('takes answers as large as may be, many at once, while it is slow to read them', async () => {
    const resultJson = JSON.stringify('x'.repeat(mebibyte - 2))
    const code = {
      python: programs.many.python
        .replace('["arguments"]["n"]', '')
        .replace('sorted(found)', '[len(each) for each in found]'),
      typescript: programs.many.typescript.replace('answer.arguments.n', 'answer.length'),
    }[runtime]
    const outcome = await run(runtime, code, { onCall: async () => ({ ok: true, resultJson }) })
    expect(outcome).toMatchObject({ status: 'ok', resultJson: JSON.stringify(Array(60).fill(mebibyte - 2)) })
  })

  test('is refused an answer that is larger than that', async () => {
    const resultJson = JSON.stringify('x'.repeat(mebibyte))
    const outcome = await run(runtime, programs.one[runtime], { onCall: async () => ({ ok: true, resultJson }) })
    expect(outcome).toMatchObject({ status: 'exception', message: 'The result has more than 1048576 bytes of JSON.' })
  })

  test('that ends takes its unanswered calls with it', async () => {
    const cancelled = Promise.withResolvers<string>()
    const onCall = async ({ signal }: InnerCall): Promise<InnerAnswer> => {
      signal.addEventListener('abort', () => cancelled.resolve('cancelled'), { once: true })
      return await new Promise(() => undefined)
    }
    const abort = new AbortController()
    const outcome = run(runtime, programs.one[runtime], {
      signal: abort.signal,
      async onCall(call) {
        abort.abort()
        return await onCall(call)
      },
    })
    expect(await outcome).toMatchObject({ status: 'killed', reason: 'cancelled' })
    expect(await cancelled.promise).toBe('cancelled')
  })

  test('waits for an execution that it caused, although there is one place', async () => {
    const inner = async (depth: number): Promise<SandboxOutcome> =>
      await run(
        runtime,
        programs.one[runtime],
        {
          async onCall() {
            if (depth === 4) return { ok: true, resultJson: '"the bottom"' }
            const outcome = await inner(depth + 1)
            return outcome.status === 'ok'
              ? { ok: true, resultJson: `[${outcome.resultJson}]` }
              : { ok: false, code: outcome.status, message: JSON.stringify(outcome) }
          },
        },
        { depth },
      )
    const outcomes = await Promise.all([inner(0), inner(0), inner(0)])
    expect(outcomes.map((outcome) => (outcome.status === 'ok' ? outcome.resultJson : outcome))).toEqual(
      Array(3).fill('[[[["the bottom"]]]]'),
    )
  })

  test('is out of time while it waits for an answer', async () => {
    const outcome = await run(
      runtime,
      programs.one[runtime],
      { onCall: async () => await new Promise(() => undefined) },
      { limits: { wallMs: 400 } },
    )
    expect(outcome).toMatchObject({ status: 'limit', limit: 'wall', message: 'wall: 400 ms reached' })
  })
})
