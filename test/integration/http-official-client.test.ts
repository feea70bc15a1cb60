import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { verifies } from '../conformance/requirements.ts'
import { echoEntry } from '../support/echo-entries.ts'
import { startHarness, type Harness } from '../support/http-harness.ts'

let harness: Harness
beforeAll(async () => {
  harness = await startHarness({ entries: [echoEntry()], config: { listPageSize: 1 } })
})
afterAll(() => harness.close())

describe('the official TypeScript client', () => {
  it.each([
    ['2026-07-28', 'auto' as const],
    ['2025-11-25', 'legacy' as const],
  ])(verifies('same-rules', 'discovers, lists and calls with %s'), async (revision, mode) => {
    const client = new Client({ name: 'official', version: '1' }, { versionNegotiation: { mode } })
    const transport = new StreamableHTTPClientTransport(new URL(`${harness.url}/mcp/demo`), {
      requestInit: { headers: { Authorization: 'Bearer alice-secret' } },
    })
    await client.connect(transport)
    expect(client.getNegotiatedProtocolVersion()).toBe(revision)
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['echo'])
    const result = await client.callTool({ name: 'echo', arguments: { text: 'hello' } })
    expect(result.content).toEqual([{ type: 'text', text: 'demo/alice said {"text":"hello"}' }])
    await expect(client.callTool({ name: 'nothing' })).rejects.toMatchObject({ code: -32602 })
    await client.close()
  })

  it('is told by 401 that its credential is no good', async () => {
    const client = new Client({ name: 'official', version: '1' })
    const transport = new StreamableHTTPClientTransport(new URL(`${harness.url}/mcp/demo`), {
      requestInit: { headers: { Authorization: 'Bearer wrong' } },
    })
    await expect(client.connect(transport)).rejects.toThrow('The credential is unknown, expired or revoked')
  })
})
