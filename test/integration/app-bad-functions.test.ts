import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isJsonObject } from '../../src/kernel/index.ts'
import { jailProcesses } from '../support/jail-processes.ts'
import { startTestApp, toolResult, type TestApp } from '../support/running-app.ts'

/** Each function misbehaves in its own way; the text is what the agent must be told, the status what is recorded. */
const cases = [
  {
    name: 'loops',
    body: 'while True:\n        pass',
    limits: 'wallMs: 700',
    status: 'timeout',
    says: /stopped after 700 ms/,
  },
  {
    name: 'burns',
    body: 'while True:\n        pass',
    limits: 'cpuMs: 300',
    status: 'limit',
    says: /300 ms of processor time/,
  },
  {
    name: 'eats',
    body: 'hog = []\n    while True:\n        hog.append(bytearray(10_000_000))',
    limits: 'memoryBytes: 100000000',
    status: 'limit',
    says: /more memory than its limit/,
  },
  {
    name: 'forks',
    body: 'import os\n    while True:\n        os.fork()',
    limits: 'wallMs: 3000',
    status: 'limit',
    says: /start a process/,
  },
  {
    name: 'floods',
    body: 'while True:\n        print("x" * 100_000)',
    limits: 'wallMs: 5000',
    status: 'limit',
    says: /flooded stdout or stderr/,
  },
  {
    name: 'bulky',
    body: 'return "y" * 2_000_000',
    limits: 'resultBytes: 100000',
    status: 'limit',
    says: /more than its limit of 100000 bytes/,
  },
  { name: 'vague', body: 'return float("nan")', limits: 'wallMs: 3000', status: 'tool-error', says: /JSON|NaN/ },
  { name: 'alien', body: 'return object()', limits: 'wallMs: 3000', status: 'tool-error', says: /JSON/ },
  {
    name: 'quits',
    body: 'import os\n    os._exit(0)',
    limits: 'wallMs: 3000',
    status: 'tool-error',
    says: /crashed|ended/,
  },
  {
    name: 'lies',
    returns: 'int',
    body: 'return "one"',
    limits: 'wallMs: 3000',
    status: 'tool-error',
    says: /breaks its own output schema.*\/result: must be a whole number, not text/,
  },
] as const

let test: TestApp
let key: string

beforeAll(async () => {
  test = await startTestApp({ settings: { 'sandbox.waitingJails': '0' } })
  const sources = Object.fromEntries(
    cases.map(({ name, body, ...rest }) => [
      `services/bad/${name}.py`,
      `def ${name}()${'returns' in rest ? ` -> ${rest.returns}` : ''}:\n    """Misbehaves."""\n    ${body}\n`,
    ]),
  )
  await test.apply('demo', {
    'namespace.yaml': 'namespace: demo\nagents:\n  - name: tester\n',
    'policies/demo.cedar': 'permit (principal, action == Action::"call", resource);',
    'services/bad/service.yaml': `functions:\n${cases.map(({ name, limits }) => `  ${name}:\n    limits:\n      ${limits}\n`).join('')}`,
    'services/good/fine.py': 'def fine() -> int:\n    """Behaves."""\n    print("some output")\n    return 7\n',
    ...sources,
  })
  key = await test.key('demo', 'tester')
})
afterAll(() => test.close())

describe('a function that misbehaves', () => {
  it.each(cases)(
    'and $name is stopped, named to the agent, and recorded as $status',
    async ({ name, status, says }) => {
      const { text, isError, call } = toolResult((await test.call(key, 'demo', `bad-${name}`, {})).message)
      expect(text).toMatch(says)
      expect(isError).toBe(true)
      const why = await test.manage('demo', 'audit.why', { namespace: 'demo', call })
      expect(isJsonObject(why.outcome) ? why.outcome.status : null).toBe(status)
      // The next call is not affected: the allowed twin in the same server.
      expect((await test.call(key, 'demo', 'good-fine', {})).message).toMatchObject({
        result: { structuredContent: { result: 7 } },
      })
    },
  )

  it('leaves no process behind', () => {
    expect(jailProcesses()).toEqual([])
  })
})
