import { describe, expect, test } from 'vitest'
import { engineUnderTest } from '../support/engine-under-test.ts'
import { smallSandbox } from '../support/small-sandbox.ts'

const mebibyte = 1024 * 1024
const { python, run, sandbox, typescript } = smallSandbox()

describe('the sandbox', () => {
  test('has tested a real jail of each runtime before it takes calls', () => {
    const { engine, version, checks } = sandbox().describe()
    expect(engine).toBe(engineUnderTest.engine)
    expect(version).toMatch(/^(?:\d+\.\d+|sha256:[0-9a-f]{16}$)/)
    expect(checks.filter((check) => !check.ok)).toEqual([])
    for (const runtime of ['python', 'typescript']) {
      for (const id of [
        'host-ids',
        'sealed',
        'namespaces',
        'network',
        'root',
        'devices',
        'write-root',
        'exec',
        'process',
      ]) {
        expect(checks.map((check) => check.id)).toContain(`${runtime}.${id}`)
      }
    }
  })

  test.each([
    ['python', { 'main.py': 'def main(input):\n  return {"twice": input["n"] * 2, "text": "é\\u20ac"}' }],
    [
      'python',
      {
        'main.py':
          'import asyncio\nasync def main(input):\n  await asyncio.sleep(0)\n  return {"twice": input["n"] * 2, "text": "é\\u20ac"}',
      },
    ],
    [
      'typescript',
      { 'main.ts': 'export function main(input: { n: number }) { return { twice: input.n * 2, text: "é\\u20ac" } }' },
    ],
    [
      'typescript',
      {
        'main.ts':
          'export const main = async (input: { n: number }) => { await null; return { twice: input.n * 2, text: "é\\u20ac" } }',
      },
    ],
    [
      'typescript',
      {
        'main.ts':
          'export default function main(input: { n: number }) { return { twice: input.n * 2, text: "é\\u20ac" } }',
      },
    ],
  ] as const)('gives a %s function its input and returns its value (%#)', async (runtime, files) => {
    const outcome = await run(runtime, files, { n: 21 })
    expect(outcome).toMatchObject({
      status: 'ok',
      engine: engineUnderTest.engine,
      profile: `${engineUnderTest.engine}-zygote-${runtime}`,
      stdout: '',
      stderr: '',
    })
    expect(outcome.status === 'ok' && JSON.parse(outcome.resultJson)).toEqual({ twice: 42, text: 'é€' })
    expect(outcome.profileHash).toMatch(/^sha256:[0-9a-f]{64}$/)
    expect(outcome.usage.maxRssBytes).toBeGreaterThan(mebibyte)
    expect(outcome).not.toHaveProperty('exitCode')
  })

  test('finds the default export by its name "default", and modules and data beside the entry file', async () => {
    const files = {
      'src/main.ts':
        'import { double } from "../lib/double.ts"\nexport default (input: { n: number }) => double(input.n)',
      'lib/double.ts': 'export const double = (n: number) => n * 2',
    }
    expect(await run('typescript', files, { n: 4 }, {}, 'default')).toMatchObject({ resultJson: '8' })
    const pythonFiles = {
      'pkg/entry.py':
        'import csv\nfrom . import helper\nimport top\ndef main(_):\n  return [helper.name, top.name, [row for row in csv.reader(open("data/rows.csv"))], __file__]',
      'pkg/helper.py': 'name = "helper"',
      'top.py': 'name = "top"',
      'data/rows.csv': 'a,b\n1,2\n',
    }
    const outcome = await run('python', pythonFiles)
    expect(outcome).toMatchObject({ resultJson: '["helper","top",[["a","b"],["1","2"]],"/fn/pkg/entry.py"]' })
    expect(await run('python', { 'json.py': 'import json\ndef main(_): return json.dumps([1])' })).toMatchObject({
      status: 'ok',
    })
    expect(await run('python', { 'not-a-name.py': 'def main(_): return 1' })).toMatchObject({ resultJson: '1' })
  })

  test('captures stdout and stderr in order of their bytes, bounded together', async () => {
    expect(await python('import sys\ndef main(_):\n  print("out")\n  print("err", file=sys.stderr)')).toMatchObject({
      resultJson: 'null',
      stdout: 'out\n',
      stderr: 'err\n',
      droppedBytes: 0,
    })
    expect(
      await typescript('export const main = () => { console.log("out"); console.error("err"); return null }'),
    ).toMatchObject({ resultJson: 'null', stdout: 'out\n', stderr: 'err\n' })
    const outcome = await python('def main(_): print("x" * 4999)')
    expect(outcome).toMatchObject({ status: 'ok', stdout: 'x'.repeat(1000), droppedBytes: 4000 })
  })

  test.each([
    [
      'python',
      'from mcpworks import log, progress\ndef main(_):\n  log("one")\n  log("two", "warning")\n  progress(1, 4, "a quarter")\n  progress(2)\n  return 1',
    ],
    [
      'typescript',
      'import { log, progress } from "mcpworks"\nexport function main() { log("one"); log("two", "warning"); progress(1, 4, "a quarter"); progress(2); return 1 }',
    ],
  ] as const)('passes on what a %s function tells while it runs', async (runtime, code) => {
    const told: unknown[] = []
    const outcome = await run(
      runtime,
      { [runtime === 'python' ? 'main.py' : 'main.ts']: code },
      {},
      {
        onLog: (level, text) => told.push([level, text]),
        onProgress: (done, total, message) => told.push([done, total, message]),
      },
    )
    expect(outcome).toMatchObject({ status: 'ok' })
    expect(told).toEqual([
      ['info', 'one'],
      ['warning', 'two'],
      [1, 4, 'a quarter'],
      [2, null, null],
    ])
  })
})

describe('a talkative function', () => {
  test('is heard 2000 times and goes on unheard', async () => {
    let heard = 0
    const code = 'from mcpworks import progress\ndef main(_):\n  for n in range(3000): progress(n)\n  return "done"'
    const outcome = await run('python', { 'main.py': code }, {}, { onProgress: () => (heard += 1) })
    expect(outcome).toMatchObject({ status: 'ok', resultJson: '"done"' })
    expect(heard).toBe(2000)
  })
})

describe('a call', () => {
  test('is cancelled while it runs, while it waits, and before it starts', async () => {
    const sleeper = 'import mcpworks, time\ndef main(_):\n  mcpworks.log("up")\n  time.sleep(60)'
    const aborts = [new AbortController(), new AbortController(), new AbortController()]
    const up: Promise<void>[] = []
    const started = aborts.map((abort) => {
      const { promise, resolve } = Promise.withResolvers<void>()
      up.push(promise)
      return run('python', { 'main.py': sleeper }, {}, { signal: abort.signal, onLog: () => resolve() })
    })
    await Promise.all(up.slice(0, 2))
    for (const abort of aborts.toReversed()) abort.abort()
    const outcomes = await Promise.all(started)
    expect(outcomes.map((outcome) => outcome.status === 'killed' && outcome.reason)).toEqual([
      'cancelled',
      'cancelled',
      'cancelled',
    ])
    expect(outcomes[2]).toMatchObject({ message: 'The call was cancelled before it started.' })
    expect(await run('python', { 'main.py': sleeper }, {}, { signal: AbortSignal.abort() })).toMatchObject({
      status: 'killed',
      reason: 'cancelled',
    })
  })

  test('waits for a place when all are taken, and all get their turn', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, async (_, n) => await python('def main(input): return input["n"]', { n })),
    )
    expect(outcomes.map((outcome) => outcome.status === 'ok' && outcome.resultJson)).toEqual(
      outcomes.map((_, n) => String(n)),
    )
  })
})
