import { describe, expect, it } from 'vitest'
import { verifies } from '../../test/conformance/requirements.ts'
import { createHostCheck } from './check-host.ts'
import { createOriginCheck } from './check-origin.ts'
import { HttpConfig } from './config.ts'

const loopback = createHostCheck(HttpConfig.parse({}))

describe('the check of Host', () => {
  it.each(['127.0.0.1', 'localhost', '[::1]', 'LOCALHOST:7433', '127.0.0.1:1', '[::1]:65535'])(
    'allows %s on a loopback bind',
    (host) => {
      expect(loopback(host)).toBe(true)
    },
  )

  it.each([
    undefined,
    '',
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.nip.io',
    'localhost:7433@evil.example',
    'localhost ',
    'localhost:',
    'localhost:123456',
    'localhost:80:80',
    '[::1',
    '::1',
    'localhost, evil.example',
    '0.0.0.0',
    '127.1',
    'localhost.',
  ])(verifies('host-checked', 'refuses %s on a loopback bind'), (host) => {
    expect(loopback(host)).toBe(false)
  })

  const listed = { allowedHosts: ['mcp.example.org'], publicUrl: 'https://public.example.org/x' }

  it('allows on an address beyond loopback only what is listed, and loopback names no more', () => {
    const check = createHostCheck(HttpConfig.parse({ host: '192.0.2.1', ...listed }))
    expect(['mcp.example.org:7433', 'MCP.example.org', 'public.example.org'].map(check)).toEqual([true, true, true])
    const others = ['localhost', '127.0.0.1', 'x.mcp.example.org', 'example.org']
    expect(others.map(check)).toEqual([false, false, false, false])
  })

  it('allows on all addresses what is listed and loopback names, by which this machine itself calls', () => {
    const check = createHostCheck(HttpConfig.parse({ host: '0.0.0.0', ...listed }))
    expect(['mcp.example.org', 'localhost:7433', '127.0.0.1'].map(check)).toEqual([true, true, true])
    expect(['x.mcp.example.org', 'example.org', '0.0.0.0'].map(check)).toEqual([false, false, false])
  })
})

describe('the check of Origin', () => {
  const check = createOriginCheck(HttpConfig.parse({ allowedOrigins: ['https://console.example.org'] }))

  it('allows no Origin, a listed one, and the server itself', () => {
    expect(check(undefined, 'localhost:7433')).toBe(true)
    expect(check('https://console.example.org', 'localhost:7433')).toBe(true)
    expect(check('http://localhost:7433', 'localhost:7433')).toBe(true)
  })

  it.each([
    'null',
    'http://localhost:3000',
    'http://localhost',
    'https://evil.example',
    'https://console.example.org.evil.example',
    'https://console.example.org/',
    '',
  ])(verifies('origin-checked', 'refuses %s'), (origin) => {
    expect(check(origin, 'localhost:7433')).toBe(false)
  })
})

describe('the settings', () => {
  it('listen on loopback unless told otherwise', () => {
    expect(HttpConfig.parse({}).host).toBe('127.0.0.1')
  })

  it('refuse to listen beyond loopback without a list of hosts', () => {
    const result = HttpConfig.safeParse({ host: '0.0.0.0' })
    expect(result.error?.issues.map(({ path, message }) => [path.join('.'), message])).toEqual([
      [
        'allowedHosts',
        'listening on 0.0.0.0 needs allowedHosts or publicUrl: without them no Host header would be right',
      ],
    ])
  })

  it('refuse wildcards in hosts and origins', () => {
    expect(HttpConfig.safeParse({ allowedHosts: ['*'] }).success).toBe(false)
    expect(HttpConfig.safeParse({ allowedOrigins: ['*'] }).success).toBe(false)
    expect(HttpConfig.safeParse({ allowedOrigins: ['https://*.example.org'] }).success).toBe(false)
  })
})
