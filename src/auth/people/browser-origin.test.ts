import { describe, expect, it } from 'vitest'
import { browserOrigin } from './browser-origin.ts'

describe('the origin of the pages for people', () => {
  it.each([
    ['http://127.0.0.1:7433', 'http://localhost:7433', 'localhost', true, false],
    ['http://[::1]:7433', 'http://localhost:7433', 'localhost', true, false],
    ['http://localhost:7433', 'http://localhost:7433', 'localhost', true, false],
    ['https://mcp.example.org', 'https://mcp.example.org', 'mcp.example.org', true, true],
    ['https://mcp.example.org/', 'https://mcp.example.org', 'mcp.example.org', true, true],
    ['https://192.0.2.7', 'https://192.0.2.7', null, true, true],
    ['http://mcp.example.org', 'http://mcp.example.org', null, false, false],
    ['http://192.0.2.7:7433', 'http://192.0.2.7:7433', null, false, false],
  ])('of %s is %s, with passkeys of %s', (publicUrl, origin, passkeyId, safe, secureCookies) => {
    expect(browserOrigin(publicUrl)).toMatchObject({ origin, passkeyId, safe, secureCookies })
  })
})
