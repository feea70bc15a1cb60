import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  createFunctionBuilder,
  createSchemaValidator,
  formatProblem,
  parseService,
  type FunctionVersion,
} from '../../src/functions/index.ts'
import { systemClock, type JsonObject, type JsonValue } from '../../src/kernel/index.ts'
import { sandboxConfigSchema, startSandbox, type Sandbox } from '../../src/sandbox/index.ts'

let sandbox: Sandbox
beforeAll(async () => {
  sandbox = await startSandbox(sandboxConfigSchema.parse({}))
}, 60_000)
afterAll(async () => await sandbox.close())

async function build(files: Record<string, string>): Promise<FunctionVersion | string[]> {
  const parsed = parseService(
    'demo',
    'test',
    new Map(Object.entries(files).map(([path, text]) => [path, Buffer.from(text)])),
  )
  if (!parsed.ok) return parsed.problems.map(formatProblem)
  const built = await createFunctionBuilder({ sandbox, validator: createSchemaValidator(), clock: systemClock })(
    parsed.service.functions,
    'demo/tester',
  )
  return built.ok ? (built.versions[0] ?? []) : built.problems.map(formatProblem)
}

async function version(files: Record<string, string>): Promise<FunctionVersion> {
  const built = await build(files)
  if (Array.isArray(built)) throw new Error(built.join('\n'))
  return built
}

const python = (signature: string, before = '', docstring = 'F.'): Record<string, string> => ({
  'f.py': `from typing import *\nfrom dataclasses import dataclass, field\nimport typing, datetime\n${before}\ndef f${signature}:\n    """${docstring}"""\n`,
})
const typescript = (signature: string, before = ''): Record<string, string> => ({
  'f.ts': `${before}\n/** F. */\nexport function f${signature} { throw new Error() }\n`,
})
const string = { type: 'string' }
const integer = { type: 'integer' }

describe('Python parameters', () => {
  it.each<[string, JsonValue, boolean]>([
    ['x: str', string, true],
    ['x: int', integer, true],
    ['x: float', { type: 'number' }, true],
    ['x: bool', { type: 'boolean' }, true],
    ['x: Any', {}, true],
    ['x: int = 5', { type: 'integer', default: 5 }, false],
    ['x: list[str] = []', { type: 'array', items: string, default: [] }, false],
    ['x: int = len("computed")', integer, false],
    ['x: Optional[str]', { type: ['string', 'null'] }, true],
    ['x: Optional[str] = None', string, false],
    ['x: str | int | None = None', { type: ['string', 'integer'] }, false],
    ['x: Union[int, list[int]]', { anyOf: [integer, { type: 'array', items: integer }] }, true],
    [
      'x: typing.List[typing.Dict[str, int]]',
      { type: 'array', items: { type: 'object', additionalProperties: integer } },
      true,
    ],
    ['x: Literal["a", "b"]', { type: 'string', enum: ['a', 'b'] }, true],
    ['x: Literal[1, "a", None]', { enum: [1, 'a', null] }, true],
    ['x: Annotated[int, "How many."]', { type: 'integer', description: 'How many.' }, true],
    ['x: "list[str]"', { type: 'array', items: string }, true],
    ['*, x: str', string, true],
  ])('takes %s', async (signature, schema, required) => {
    const { inputSchema } = await version(python(`(${signature})`))
    expect(inputSchema).toEqual({
      type: 'object',
      properties: { x: schema },
      ...(required ? { required: ['x'] } : {}),
      additionalProperties: false,
    })
  })

  it.each<[string, string, JsonObject]>([
    [
      'a TypedDict',
      'class Q(TypedDict):\n    a: int\n    b: NotRequired[str]\n',
      { type: 'object', properties: { a: integer, b: string }, required: ['a'], additionalProperties: false },
    ],
    [
      'a TypedDict that is not total',
      'class Q(TypedDict, total=False):\n    a: Required[int]\n    b: str\n',
      { type: 'object', properties: { a: integer, b: string }, required: ['a'], additionalProperties: false },
    ],
    [
      'an inherited TypedDict',
      'class P(TypedDict):\n    a: int\nclass Q(P):\n    b: str\n',
      { type: 'object', properties: { a: integer, b: string }, required: ['a', 'b'], additionalProperties: false },
    ],
    [
      'a dataclass',
      '@dataclass(frozen=True)\nclass Q:\n    a: int\n    b: str = "x"\n    c: list[int] = field(default_factory=list)\n    K: ClassVar[int] = 1\n',
      {
        type: 'object',
        properties: { a: integer, b: { type: 'string', default: 'x' }, c: { type: 'array', items: integer } },
        required: ['a'],
        additionalProperties: false,
      },
    ],
    [
      'texts of members',
      'class Q(TypedDict):\n    """Q.\n\n    Attributes:\n        a: First.\n    """\n    a: int\n    b: int\n    "Second."\n',
      {
        type: 'object',
        properties: { a: { type: 'integer', description: 'First.' }, b: { type: 'integer', description: 'Second.' } },
        required: ['a', 'b'],
        additionalProperties: false,
      },
    ],
    ['an alias', 'Q = Dict[str, float]\n', { type: 'object', additionalProperties: { type: 'number' } }],
  ])('takes %s as input', async (_title, before, schema) => {
    expect((await version(python('(input: Q)', before))).inputSchema).toEqual(schema)
  })

  it.each<[string, string]>([
    [
      'Google',
      'Does it.\n\n    Second paragraph,\n    two lines.\n\n    Args:\n        x (int): How many\n            of them.\n        y: Why.\n\n    Returns:\n        Nothing.\n    ',
    ],
    [
      'NumPy',
      'Does it.\n\n    Second paragraph,\n    two lines.\n\n    Parameters\n    ----------\n    x : int\n        How many\n        of them.\n    y : str, optional\n        Why.\n\n    Returns\n    -------\n    int\n        Nothing.\n    ',
    ],
    [
      'Sphinx',
      'Does it.\n\n    Second paragraph,\n    two lines.\n\n    :param x: How many\n        of them.\n    :param str y: Why.\n    :returns: Nothing.\n    ',
    ],
  ])('reads docstrings in the style of %s', async (_style, docstring) => {
    const { description, inputSchema } = await version(python('(x: int, y: str)', '', docstring))
    expect(description).toBe('Does it.\n\nSecond paragraph, two lines.')
    expect(inputSchema['properties']).toEqual({
      x: { type: 'integer', description: 'How many of them.' },
      y: { type: 'string', description: 'Why.' },
    })
  })
})

describe('Python results', () => {
  it.each<[string, JsonValue]>([
    ['-> int', integer],
    [
      '-> list[tuple[str, int]]',
      { type: 'array', items: { type: 'array', prefixItems: [string, integer], minItems: 2, maxItems: 2 } },
    ],
    ['-> set[str]', { type: 'array', items: string }],
    ['-> datetime.date', { type: 'string', format: 'date' }],
    ['-> Optional[int]', { type: ['integer', 'null'] }],
  ])('puts %s under "result"', async (returns, schema) => {
    expect((await version(python(`() ${returns}`))).outputSchema).toEqual({
      type: 'object',
      properties: { result: schema },
      required: ['result'],
      'x-mcpworks-wrapped': true,
    })
  })

  it('has objects as they are, and open', async () => {
    expect((await version(python('() -> Q', 'class Q(TypedDict):\n    a: int\n'))).outputSchema).toEqual({
      type: 'object',
      properties: { a: integer },
      required: ['a'],
    })
  })

  it.each([[''], ['-> None'], ['-> Any']])('says nothing of the result for "%s"', async (returns) => {
    expect((await version(python(`() ${returns}`))).outputSchema).toBeNull()
  })
})

describe('TypeScript parameters', () => {
  it.each<[string, JsonValue, boolean]>([
    ['x: string', string, true],
    ['x?: number', { type: 'number' }, false],
    ['x: boolean | undefined', { type: 'boolean' }, false],
    ['x: string | null', { type: ['string', 'null'] }, true],
    ["x: 'a' | 'b'", { type: 'string', enum: ['a', 'b'] }, true],
    ['x: 1 | -2 | 3', { type: 'number', enum: [1, -2, 3] }, true],
    ['x: string[]', { type: 'array', items: string }, true],
    ['x: readonly (string | number)[]', { type: 'array', items: { type: ['string', 'number'] } }, true],
    [
      'x: Array<{ a: string }>',
      {
        type: 'array',
        items: { type: 'object', properties: { a: string }, required: ['a'], additionalProperties: false },
      },
      true,
    ],
    [
      'x: [string, number]',
      { type: 'array', prefixItems: [string, { type: 'number' }], minItems: 2, maxItems: 2 },
      true,
    ],
    ['x: Record<string, number>', { type: 'object', additionalProperties: { type: 'number' } }, true],
    ['x: { [name: string]: string }', { type: 'object', properties: {}, additionalProperties: string }, true],
    [
      "x: Record<'a', string>",
      { type: 'object', properties: { a: string }, required: ['a'], additionalProperties: false },
      true,
    ],
    ['x: unknown', {}, true],
    ['/** How many. @see y */ x: number', { type: 'number', description: 'How many. @see y' }, true],
    [
      '/** How many.\n * @integer\n * @minimum 1\n * @default 3 */ x?: number',
      { type: 'integer', description: 'How many.', minimum: 1, default: 3 },
      false,
    ],
    ['/** @pattern ^[a-z]+$ */ x: string', { type: 'string', pattern: '^[a-z]+$' }, true],
  ])('takes { %s }', async (members, schema, required) => {
    const { inputSchema } = await version(typescript(`(input: { ${members} }): void`))
    expect(inputSchema).toEqual({
      type: 'object',
      properties: { x: schema },
      ...(required ? { required: ['x'] } : {}),
      additionalProperties: false,
    })
  })

  it.each<[string, string, string, JsonObject]>([
    [
      'an interface that extends another',
      'interface P { a: string }\ninterface Q extends P { b?: number }',
      'Q',
      {
        type: 'object',
        properties: { a: string, b: { type: 'number' } },
        required: ['a'],
        additionalProperties: false,
      },
    ],
    [
      'an intersection',
      'type Q = { a: string } & { b: string }',
      'Q',
      { type: 'object', properties: { a: string, b: string }, required: ['a', 'b'], additionalProperties: false },
    ],
    [
      'Partial, Pick and Omit',
      'interface P { a: string; b: string; c: string }\ntype Q = Partial<Pick<P, "a" | "b">> & Omit<P, "a" | "b">',
      'Q',
      { type: 'object', properties: { a: string, b: string, c: string }, required: ['c'], additionalProperties: false },
    ],
    ['nothing', '', '', { type: 'object', properties: {}, additionalProperties: false }],
  ])('takes %s', async (_title, before, type, schema) => {
    expect(
      (await version(typescript(type === '' ? '(): void' : `(input: ${type}): void`, before))).inputSchema,
    ).toEqual(schema)
  })

  it('takes defaults from the pattern and texts from @param', async () => {
    const { inputSchema } = await version({
      'f.ts':
        '/**\n * F.\n * @param input.n - How many.\n */\nexport function f({ n = 3, s = "x" }: { n?: number; s?: string }): void {}\n',
    })
    expect(inputSchema['properties']).toEqual({
      n: { type: 'number', description: 'How many.', default: 3 },
      s: { type: 'string', default: 'x' },
    })
  })

  it('follows types into the function’s other files, and nowhere else', async () => {
    const files = {
      'f.ts': 'import type { Q } from "./lib/types.ts"\n/** F. */\nexport function f(input: Q): void {}\n',
      'lib/types.ts': 'export { Q } from "./more.ts"\n',
      'lib/more.ts': 'export interface Q { a: string }\n',
    }
    expect((await version(files)).inputSchema['properties']).toEqual({ a: string })
    const outside = {
      'f.ts': 'import type { Q } from "../../derive-typescript.ts"\n/** F. */\nexport function f(input: Q): void {}\n',
    }
    expect(await build(outside)).toEqual([expect.stringContaining('the type Q is not known in these files')])
  })

  it.each<[string, string, string]>([
    ['a generic type', 'interface G<T> { a: T }', '(input: G<string>): void'],
    ['a recursive type', 'interface Q { next?: Q }', '(input: Q): void'],
    ['a function in the input', '', '(input: { callback: () => void }): void'],
    ['a Date in the input', '', '(input: { day: Date }): void'],
    ['an enum', 'enum E { A }', '(input: { e: E }): void'],
    ['imports in a circle', 'import type { Q } from "./f.ts"', '(input: Q): void'],
  ])('refuses %s with line, column and a hint, unless the schema is given', async (_title, before, signature) => {
    const files = typescript(signature, before)
    expect(await build(files)).toEqual([expect.stringMatching(/^services\/test\/f\.ts:\d+:\d+: .+/)])
    const given = {
      ...files,
      'service.yaml': 'functions:\n  f:\n    inputSchema: { type: object, properties: { q: { type: string } } }\n',
    }
    expect((await version(given)).inputSchema).toEqual({ type: 'object', properties: { q: string } })
  })
})

describe('TypeScript results', () => {
  it.each<[string, JsonValue]>([
    ['Promise<number>', { type: 'number' }],
    ['Date', { type: 'string', format: 'date-time' }],
    ['string[]', { type: 'array', items: string }],
  ])('puts %s under "result"', async (type, schema) => {
    expect((await version(typescript(`(): ${type}`))).outputSchema).toMatchObject({ properties: { result: schema } })
  })

  it.each([['void'], ['Promise<void>'], ['unknown']])('says nothing of the result for %s', async (type) => {
    expect((await version(typescript(`(): ${type}`))).outputSchema).toBeNull()
  })
})
