import { describe, expect, it } from 'vitest'
import { createFunctionRunner, type FunctionOutcome, type FunctionVersion } from '../../src/functions/index.ts'
import { systemClock, type JsonObject } from '../../src/kernel/index.ts'
import { functionBench, textOf } from '../support/function-bench.ts'

const { build, buildOne, run, sandbox } = functionBench()

describe('calling conventions', () => {
  it.each<[string, Record<string, string>, JsonObject, unknown]>([
    [
      'keywords',
      { 'f.py': 'def f(a: int, *, b: str = "x") -> list:\n    """F."""\n    return [a, b]\n' },
      { a: 1 },
      [1, 'x'],
    ],
    [
      'one dict',
      { 'f.py': 'def f(input: dict) -> dict:\n    """F."""\n    return input\n' },
      { a: { b: [1] } },
      { a: { b: [1] } },
    ],
    [
      'a dataclass, nested, in and out',
      {
        'f.py':
          'from dataclasses import dataclass\n@dataclass\nclass Inner:\n    n: int\n@dataclass\nclass Q:\n    inner: Inner\n    many: list[Inner]\ndef f(input: Q) -> Q:\n    """F."""\n    assert isinstance(input.inner, Inner) and isinstance(input.many[0], Inner)\n    return input\n',
      },
      { inner: { n: 1 }, many: [{ n: 2 }] },
      { inner: { n: 1 }, many: [{ n: 2 }] },
    ],
    [
      'a decorated function',
      {
        'f.py':
          'import functools\ndef twice(g):\n    @functools.wraps(g)\n    def wrapper(*args, **kwargs):\n        return g(*args, **kwargs) * 2\n    return wrapper\n@twice\ndef f(n: int) -> int:\n    """F."""\n    return n\n',
      },
      { n: 2 },
      4,
    ],
    [
      'a file named like a module of the standard library',
      { 'calendar.py': 'def calendar(n: int) -> int:\n    """F."""\n    return n + 1\n' },
      { n: 1 },
      2,
    ],
    [
      'dates and sets',
      {
        'f.py':
          'import datetime\ndef f() -> list:\n    """F."""\n    return [datetime.date(2026, 11, 20), {3, 1}, (1, 2)]\n',
      },
      {},
      ['2026-11-20', [1, 3], [1, 2]],
    ],
    [
      'an async function',
      {
        'f.py':
          'import asyncio, datetime\nasync def f(n: int) -> list:\n    """F."""\n    await asyncio.sleep(0)\n    return [n, datetime.date(2026, 11, 20)]\n',
      },
      { n: 1 },
      [1, '2026-11-20'],
    ],
    [
      'an object in TypeScript',
      { 'f.ts': '/** F. */\nexport function f({ n = 3 }: { n?: number }): number { return n }\n' },
      {},
      3,
    ],
    [
      'an async arrow function',
      { 'f.ts': '/** F. */\nexport const f = async (input: { n: number }): Promise<number[]> => [input.n]\n' },
      { n: 1 },
      [1],
    ],
    ['a default export', { 'f.ts': '/** F. */\nexport default function f(): string { return "ok" }\n' }, {}, 'ok'],
  ])('takes %s', async (_title, files, args, expected) => {
    const outcome = await run(await buildOne(files), args)
    const text = textOf(outcome)
    expect([outcome.status, typeof expected === 'string' ? text : (JSON.parse(text) as unknown)]).toEqual([
      'ok',
      expected,
    ])
  })
})

describe('functions that misbehave', () => {
  const python = (body: string, limits = ''): Record<string, string> => ({
    'f.py': `def f() -> int:\n    """F."""\n${body.replace(/^/gm, '    ')}\n`,
    ...(limits === '' ? {} : { 'service.yaml': `limits: ${limits}\n` }),
  })

  it.each<[string, Record<string, string>, FunctionOutcome['status'], RegExp]>([
    ['loops for ever', python('while True: pass', '{ wallMs: 500 }'), 'timeout', /stopped after 500 ms/],
    ['eats memory', python('x = "x" * (900 * 1024 * 1024)\nreturn len(x)'), 'limit', /more memory than its limit/],
    [
      'returns too much',
      python('return "x" * 5000', '{ resultBytes: 1000 }'),
      'limit',
      /more than its limit of 1000 bytes/,
    ],
    ['starts a process', python('import os\nos.fork()'), 'limit', /start a process/],
    ['returns what JSON cannot carry', python('return object()'), 'tool-error', /JSON cannot carry/],
    ['calls exit', python('import sys\nsys.exit(0)'), 'tool-error', /exit/],
    [
      'fails while it is loaded',
      { 'f.py': 'import missing_module\ndef f() -> int:\n    """F."""\n    return 1\n' },
      'tool-error',
      /missing_module/,
    ],
    [
      'throws in TypeScript',
      { 'f.ts': '/** F. */\nexport function f(): number { throw new TypeError("no such lead") }\n' },
      'tool-error',
      /TypeError: no such lead[^]*f\.ts/,
    ],
  ])('tells an agent what happened when one %s', async (_title, files, status, text) => {
    const outcome = await run(await buildOne(files), {})
    expect(textOf(outcome)).toMatch(text)
    expect(outcome).toMatchObject({ status, result: { isError: true } })
    expect(textOf(outcome)).not.toMatch(/\/usr\/|adapter|\/fn\//)
  })

  it('keeps stdout for the owner and shows callers none of it', async () => {
    const outcome = await run(await buildOne(python('print("a secret")\nraise RuntimeError("broken")')), {})
    expect(outcome.facts.stdout).toContain('a secret')
    expect(textOf(outcome)).not.toContain('a secret')
  })

  it('stops when the caller is gone', async () => {
    const controller = new AbortController()
    const version = await buildOne(python('from mcpworks import log\nlog("started")\nwhile True: pass'))
    const runner = createFunctionRunner({ sandbox: sandbox(), clock: systemClock })
    const outcome = await runner.run(version, {}, { signal: controller.signal, onLog: () => controller.abort() })
    expect(outcome).toMatchObject({ status: 'killed', detail: expect.any(String) })
    expect(textOf(outcome)).toBe('The call was cancelled.')
  })
})

describe('building', () => {
  it.each<[string, Record<string, string>, string]>([
    [
      'a parameter without a type',
      { 'f.py': 'def f(n, m: int):\n    """F."""\n' },
      'services/test/f.py:1:7: the parameter n has no type (write for example n: str)',
    ],
    [
      'a type without a JSON form',
      { 'f.py': 'import datetime\ndef f(day: datetime.date):\n    """F."""\n' },
      'services/test/f.py:2:12: the parameter day: the type date has no JSON form here (arguments arrive as JSON: write str, int, float, bool, list, dict, Literal, a TypedDict or a dataclass)',
    ],
    [
      'a starred parameter',
      { 'f.py': 'def f(**filters):\n    """F."""\n' },
      'services/test/f.py:1:9: **filters cannot be described (name each parameter)',
    ],
    ['a syntax error', { 'f.py': 'def f(:\n' }, 'services/test/f.py:1:7: invalid syntax'],
    [
      'a file without its function',
      { 'f.py': 'def g(): pass\n' },
      'services/test/f.py:1:1: there is no function f at the top level of the file (the file has: g)',
    ],
    [
      'a function that does not say what it does',
      { 'f.py': 'def f(): pass\n' },
      'services/test/f.py: f does not say what it does, and agents choose tools by that (write a docstring)',
    ],
    ['a TypeScript syntax error', { 'f.ts': 'export function f( {\n' }, 'services/test/f.ts:2:1: Unexpected token'],
    [
      'a TypeScript function that is not exported',
      { 'f.ts': '/** F. */\nfunction f() {}\n' },
      'services/test/f.ts:2:1: f is not exported (write export in front of it)',
    ],
    [
      'several TypeScript parameters',
      { 'f.ts': '/** F. */\nexport function f(a: string, b: number) {}\n' },
      'services/test/f.ts:2:30: a function gets one object, not several arguments (write (input: { a: string; b: number }))',
    ],
    [
      'a type from elsewhere',
      { 'f.ts': 'import type { Q } from "zod"\n/** F. */\nexport function f(input: Q) {}\n' },
      'services/test/f.ts:3:26: the type Q is not known in these files, or has no JSON form (arguments arrive as JSON: write string, number, boolean, arrays, literals and interfaces of these)',
    ],
    [
      'a schema that misspells a keyword',
      {
        'f.py': 'def f(n):\n    """F."""\n',
        'service.yaml': 'functions:\n  f:\n    inputSchema: { type: object, proprties: {} }\n',
      },
      'services/test/service.yaml: functions.f.inputSchema.proprties: "proprties" is no JSON Schema keyword (did you mean "properties"?)',
    ],
    [
      'an input schema that is no object',
      { 'f.py': 'def f(n):\n    """F."""\n', 'service.yaml': 'functions:\n  f:\n    inputSchema: { type: string }\n' },
      'services/test/service.yaml: functions.f.inputSchema: arguments are always an object (write "type: object" and name them under "properties")',
    ],
  ])('refuses %s and says where and what to write', async (_title, files, message) => {
    expect(await build(files)).toEqual([message])
  })

  it('tells the problems of all functions at once', async () => {
    expect(
      (await build({ 'a.py': 'def a(x):\n    """A."""\n', 'b.py': 'def b(:\n', 'c.ts': 'export const c = 1\n' }))
        .length,
    ).toBe(3)
  })

  it('does not run the code that it reads', async () => {
    const files = (body: string): Record<string, string> => ({
      'f.py': `${body}\ndef f() -> int:\n    """F."""\n    return 1\n`,
      'g.ts': `${body === '' ? '' : 'throw new Error("ran")'}\n/** G. */\nexport function g(): number { return 1 }\n`,
    })
    const versions = await build(files('raise SystemExit("ran")'))
    expect(versions).toMatchObject([{ name: 'f' }, { name: 'g' }])
    expect(textOf(await run(versions[0] as FunctionVersion, {}))).not.toBe('1')
  })

  it('says so when a file breaks the parser, and does not fail itself', async () => {
    expect(await build({ 'f.py': `def f():\n    """F."""\n    return ${'('.repeat(50_000)}\n` })).toEqual([
      expect.stringMatching(/^services\/test\/f\.py:\d+:\d+: /),
    ])
    expect(
      await build({ 'f.ts': `/** F. */\nexport function f(): number { return ${'['.repeat(100_000)} }\n` }),
    ).toEqual([expect.stringMatching(/^services\/test\/f\.ts/)])
  })

  it('names a version by what decides its behaviour: the same twice, another for one more byte, code apart from text', async () => {
    const one = await buildOne({ 'f.py': 'def f() -> int:\n    """F."""\n    return 1\n' })
    const same = await buildOne({ 'f.py': 'def f() -> int:\n    """F."""\n    return 1\n' })
    const data = await buildOne({ 'f.py': 'def f() -> int:\n    """F."""\n    return 1\n', 'data/a.csv': 'x' })
    const described = await buildOne({
      'f.py': 'def f() -> int:\n    """F."""\n    return 1\n',
      'service.yaml': 'functions:\n  f: { description: Other words. }\n',
    })
    expect([same.versionHash, same.codeHash]).toEqual([one.versionHash, one.codeHash])
    expect(data.codeHash).not.toBe(one.codeHash)
    expect(described.codeHash).toBe(one.codeHash)
    expect(described.versionHash).not.toBe(one.versionHash)
  })
})
