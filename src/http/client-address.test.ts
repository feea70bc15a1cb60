import { describe, expect, it } from 'vitest'
import { createClientAddress } from './client-address.ts'

const none = { forwarded: [], xForwardedFor: [] }

describe('the address of a client', () => {
  const proxied = createClientAddress(['10.0.0.0/8', '192.0.2.1', 'fd00::/8'])

  it('is that of the connection where no proxy is trusted, whatever headers say', () => {
    const address = createClientAddress([])
    expect(address('203.0.113.9', { forwarded: ['for=1.1.1.1'], xForwardedFor: ['2.2.2.2'] })).toBe('203.0.113.9')
  })

  it('is that of the connection where the connection is no trusted proxy: the headers are anybody’s', () => {
    expect(proxied('203.0.113.9', { forwarded: ['for=10.0.0.1'], xForwardedFor: ['127.0.0.1'] })).toBe('203.0.113.9')
  })

  it.each([
    ['198.51.100.7', ['198.51.100.7']],
    // What the client wrote itself stands further left than what the proxy appended.
    ['198.51.100.7', ['127.0.0.1, 198.51.100.7']],
    ['198.51.100.7', ['127.0.0.1', '198.51.100.7']],
    ['198.51.100.7', ['127.0.0.1, 198.51.100.7, 10.1.2.3']],
    ['198.51.100.7', ['198.51.100.7:4711']],
    ['2001:db8::1', ['[2001:db8::1]:443']],
    // All of them are proxies: the outermost made the request itself.
    ['10.9.9.9', ['10.9.9.9, 10.1.1.1']],
    // An entry that cannot be read ends the chain of trust: the last that could be read is held responsible.
    ['10.0.0.2', ['198.51.100.7, unknown']],
    ['10.1.1.1', ['198.51.100.7, <script>, 10.1.1.1']],
    ['10.0.0.2', ['']],
    ['10.0.0.2', ['3232235521']],
    ['10.0.0.2', ['0x7f000001']],
    ['10.0.0.2', ['127.1']],
  ])('is %s behind a trusted proxy that says X-Forwarded-For %j', (expected, xForwardedFor) => {
    expect(proxied('10.0.0.2', { ...none, xForwardedFor })).toBe(expected)
    expect(proxied('::ffff:10.0.0.2', { ...none, xForwardedFor }).replace('::ffff:', '')).toBe(expected)
  })

  it.each([
    ['198.51.100.7', ['for=198.51.100.7;proto=https']],
    ['198.51.100.7', ['for=127.0.0.1, proto=https;For="198.51.100.7:80"']],
    ['2001:db8::17', ['for="[2001:db8::17]:4711"']],
    ['10.0.0.2', ['for=_hidden']],
    ['10.0.0.2', ['proto=https']],
    ['10.0.0.2', ['xfor=198.51.100.7']],
  ])('is %s where it says Forwarded %j, and X-Forwarded-For is not looked at', (expected, forwarded) => {
    expect(proxied('10.0.0.2', { forwarded, xForwardedFor: ['9.9.9.9'] })).toBe(expected)
  })
})
