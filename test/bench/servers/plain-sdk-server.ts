import { createServer } from 'node:http'
import { classifyInboundRequest, PerRequestHTTPServerTransport, Server } from '@modelcontextprotocol/server'
import { serveDriver } from './serve.ts'

/**
 * The baseline: the SDK's low-level server over node:http, one tool, body parsed once and handed in; no credential,
 * no policy, no record.
 */
const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => void answer(JSON.parse(Buffer.concat(chunks).toString('utf8'))))

  async function answer(body: unknown): Promise<void> {
    const headers = new Headers(request.headers as Record<string, string>)
    const outcome = classifyInboundRequest({
      httpMethod: 'POST',
      protocolVersionHeader: headers.get('mcp-protocol-version') ?? '',
      mcpMethodHeader: headers.get('mcp-method') ?? '',
      mcpNameHeader: headers.get('mcp-name') ?? '',
      body,
    })
    if (outcome.kind !== 'modern') throw new Error(`the baseline got ${JSON.stringify(outcome)}`)
    const mcp = new Server(
      { name: 'plain', version: '1' },
      { capabilities: { tools: {} }, supportedProtocolVersions: ['2026-07-28'] },
    )
    mcp.setRequestHandler('tools/call', async (call) => ({
      content: [{ type: 'text', text: JSON.stringify(call.params.arguments) }],
    }))
    const transport = new PerRequestHTTPServerTransport({ classification: outcome.classification })
    await mcp.connect(transport)
    const reply = await transport.handleMessage(outcome.message)
    response.writeHead(reply.status, Object.fromEntries(reply.headers))
    response.end(await reply.text())
    await mcp.close()
  }
})

server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('no address')
  serveDriver(`http://127.0.0.1:${address.port}/`, {}, async () => void server.close())
})
