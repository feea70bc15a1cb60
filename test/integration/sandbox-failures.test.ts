import { describe, expect, test } from 'vitest'
import { smallSandbox } from '../support/small-sandbox.ts'

const { python, run, typescript } = smallSandbox()

describe('a function that fails', () => {
  test('in Python is told with its own frames only, causes included', async () => {
    const code = `import json
def inner(text):
    return json.loads(text)
def main(input):
    try:
        return inner('{')
    except ValueError as error:
        raise RuntimeError('no use') from error
`
    const outcome = await python(code)
    expect(outcome).toMatchObject({ status: 'exception', kind: 'RuntimeError', message: 'no use' })
    const trace = outcome.status === 'exception' ? outcome.trace : ''
    expect(trace).toContain('File "main.py", line 3, in inner')
    expect(trace).toContain('File "main.py", line 8, in main')
    expect(trace).toContain('json.decoder.JSONDecodeError')
    expect(trace).not.toMatch(/\/usr|\/runner|\/fn|\/home|\/root/)
  })

  test('in TypeScript is told with its own frames only, at the lines of the source', async () => {
    const outcome = await run('typescript', {
      'main.ts':
        'import { inner } from "./inner.ts"\ninterface Unused { a: number }\nexport async function main(input: Unused) {\n  return inner(input)\n}',
      'inner.ts': '\n\nexport function inner(value: unknown): never {\n  throw new TypeError("no use")\n}',
    })
    expect(outcome).toMatchObject({ status: 'exception', kind: 'TypeError', message: 'no use' })
    const trace = outcome.status === 'exception' ? outcome.trace : ''
    expect(trace).toContain('at inner (inner.ts:4:')
    expect(trace).toContain('at main (main.ts:4:')
    expect(trace).not.toMatch(/\/usr|\/runner|\/fn|\/home|\/root/)
  })

  test.each([
    [
      'python',
      'def main(_):\n  return {"a": [1, {2}]}',
      'result["a"][1] is of type set, which JSON cannot carry. Return a list.',
    ],
    [
      'python',
      'def main(_):\n  return [float("nan")]',
      'result[0] is nan, and JSON has no such number. Return None or a string.',
    ],
    [
      'python',
      'def main(_):\n  a = {}\n  a["self"] = a\n  return a',
      'result["self"] contains itself. JSON cannot carry a circular structure.',
    ],
    [
      'python',
      'import datetime\ndef main(_):\n  return datetime.date(2020, 1, 1)',
      'result is of type datetime.date, which JSON cannot carry. Return its isoformat().',
    ],
    [
      'python',
      'def main(_):\n  return (n for n in [1])',
      'result is of type generator, which JSON cannot carry. Return a list of what it yields.',
    ],
    ['python', 'def main(_):\n  return {(1, 2): 3}', 'result has a key of type tuple. JSON keys are strings.'],
    ['python', 'def main(_):\n  return "\\ud800"', 'result is text with a lone surrogate, which is no valid Unicode.'],
    ['typescript', 'export const main = () => {}', 'result is undefined. Return null to say that there is nothing.'],
    [
      'typescript',
      'export const main = () => ({ a: [1n] })',
      'result["a"][0] is a bigint, which JSON cannot carry. Return a string or a number.',
    ],
    [
      'typescript',
      'export const main = () => [1 / 0]',
      'result[0] is Infinity, and JSON has no such number. Return null or a string.',
    ],
    [
      'typescript',
      'export const main = () => new Map()',
      'result is a Map, which JSON cannot carry. Return an object or an array.',
    ],
    [
      'typescript',
      'export const main = () => { const a: any = {}; a.self = a; return a }',
      'result["self"] contains itself. JSON cannot carry a circular structure.',
    ],
    [
      'typescript',
      'export const main = () => ({ a: { ["\\ud800"]: 1 } })',
      'result["a"] has a key with a lone surrogate, which is no valid Unicode.',
    ],
    ['typescript', 'export const main = () => main', 'result is a function, which JSON cannot carry.'],
  ] as const)('to return JSON in %s is told what it returned (%#)', async (runtime, code, sentence) => {
    const outcome = await run(runtime, { [runtime === 'python' ? 'main.py' : 'main.ts']: code })
    expect(outcome).toMatchObject({
      status: 'invalid',
      message: `The function returned what JSON cannot carry: ${sentence}`,
    })
  })

  test.each([
    ['python', 'def other(_): return 1', 'main.py defines no main.'],
    ['python', 'main = 1', 'main in main.py is no function.'],
    ['python', 'def main(:', 'The code could not be loaded.   File "main.py", line 1'],
    ['python', 'import nowhere', "ModuleNotFoundError: No module named 'nowhere'"],
    ['typescript', 'export const other = 1', 'main.ts exports no main.'],
    ['typescript', 'export const main = 1', 'main.ts exports something that is no function as main.'],
    ['typescript', 'export const main = (', 'main.ts:1:'],
    ['typescript', 'import { x } from "nowhere"\nexport const main = () => x', 'nowhere'],
    ['typescript', 'throw new Error("at load")', 'Error: at load'],
  ] as const)('to load in %s is told why (%#)', async (runtime, code, part) => {
    const outcome = await run(runtime, { [runtime === 'python' ? 'main.py' : 'main.ts']: code })
    expect(outcome.status).toBe('invalid')
    expect(outcome.status === 'invalid' && outcome.message).toContain(part)
    expect(JSON.stringify(outcome)).not.toMatch(/\/usr|\/runner|\/fn\/|\/home|\/root/)
  })

  test.each([
    ['with a name that throws', '"name", { get() { throw e } }', 'it throws where it is looked at'],
    ['with a name that is none', '"name", { value: 7 }', 'told'],
    ['with a stack that is none', '"stack", { value: 7 }', 'told'],
    ['with a message that throws', '"message", { get() { throw e } }', 'it throws where it is looked at'],
  ])('%s is told as an exception', async (_, property, part) => {
    const code = `export const main = () => { const e = new Error("told"); Object.defineProperty(e, ${property}); throw e }`
    const outcome = await typescript(code)
    expect(outcome).toMatchObject({ status: 'exception', message: expect.stringContaining(part), stderr: '' })
    expect(outcome.status === 'exception' && outcome.kind).not.toMatch(/TypeError|ProcessExit/)
  })

  test('with a long message of characters outside of the first plane is told, cut off', async () => {
    const outcome = await python('def main(_): raise ValueError("\\U0001f600" * 100000)')
    expect(outcome).toMatchObject({ status: 'exception', kind: 'ValueError' })
    expect(outcome.status === 'exception' && outcome.message).toBe('\u{1f600}'.repeat(4000))
    const lone = await typescript('export const main = () => { throw new Error("x".repeat(3999) + "\\u{1f600}") }')
    expect(lone.status === 'exception' && lone.message).toBe(`${'x'.repeat(3999)}\ufffd`)
  })

  test('by ending its process is told as that, and a crash as a signal', async () => {
    expect(await python('import os\ndef main(_): os._exit(3)')).toMatchObject({
      status: 'exception',
      kind: 'ProcessExit',
      message: 'The function ended its process with exit code 3 instead of returning.',
      exitCode: 3,
    })
    expect(await typescript('export const main = () => process.exit(3)')).toMatchObject({
      status: 'exception',
      kind: 'ProcessExit',
      exitCode: 3,
    })
    expect(await python('import sys\ndef main(_): sys.exit(3)')).toMatchObject({
      status: 'exception',
      kind: 'SystemExit',
    })
    expect(await typescript('export const main = () => new Promise(() => {})')).toMatchObject({
      status: 'exception',
      kind: 'NeverSettled',
    })
    expect(await python('import ctypes\ndef main(_): ctypes.string_at(0)')).toMatchObject({
      status: 'killed',
      reason: 'signal',
      message: "The function's process was ended by signal 11.",
    })
  })

  test('by writing to the channel of its result harms only its own outcome', async () => {
    const garbage = await python(
      'import os\ndef main(_):\n  os.write(3, b"\\0\\0\\0\\x08\\0\\0\\0\\x04oops")\n  return 1',
    )
    expect(garbage).toMatchObject({
      status: 'invalid',
      message: 'The function wrote to the channel that carries its result.',
    })
    const again = await python(
      'import os\ndef main(_):\n  h = b\'{"type":"ready","version":1}\'\n  os.write(3, (4 + len(h)).to_bytes(4, "big") + len(h).to_bytes(4, "big") + h)\n  return 1',
    )
    expect(again).toMatchObject({ status: 'invalid' })
    expect(await python('def main(_): return 1')).toMatchObject({ resultJson: '1' })
  })
})
