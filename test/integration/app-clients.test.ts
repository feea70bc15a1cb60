import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestApp, type TestApp } from '../support/running-app.ts'

let test: TestApp
let key: string

beforeAll(async () => {
  test = await startTestApp()
  await test.apply('demo', {
    'namespace.yaml': 'namespace: demo\nagents:\n  - name: writer\n',
    'policies/demo.cedar': 'permit (principal == Agent::"demo/writer", action == Action::"call", resource);',
    'services/math/add.py':
      'def add(a: int, b: int) -> int:\n    """Adds two numbers.\n\n    Args:\n        a: the first\n        b: the second\n    """\n    return a + b\n',
  })
  key = await test.key('demo', 'writer')
})
afterAll(() => test.close())

describe('the official TypeScript client, unmodified', () => {
  it.each([
    ['2026-07-28', { pin: '2026-07-28' }],
    ['2025-11-25', 'legacy'],
    ['the newest that both know', 'auto'],
  ] as const)('connects, lists and calls with %s', async (_, mode) => {
    const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } })
    const transport = new StreamableHTTPClientTransport(new URL(`${test.app.url}/mcp/demo`), {
      requestInit: { headers: { authorization: `Bearer ${key}` } },
    })
    await client.connect(transport)
    const { tools } = await client.listTools()
    expect(tools.map((tool) => tool.name)).toEqual(['math-add'])
    expect(await client.callTool({ name: 'math-add', arguments: { a: 1, b: 2 } })).toMatchObject({
      structuredContent: { result: 3 },
    })
    await client.close()
  })

  it('is refused without a credential', async () => {
    const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode: { pin: '2026-07-28' } } })
    await expect(
      client.connect(new StreamableHTTPClientTransport(new URL(`${test.app.url}/mcp/demo`))),
    ).rejects.toThrow(/401|credential|Unauthorized/i)
  })
})
