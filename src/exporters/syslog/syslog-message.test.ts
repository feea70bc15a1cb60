import fc from 'fast-check'
import { expect, it } from 'vitest'
import { countOctets, syslogMessage } from './syslog-message.ts'

/** Every character there is, and halves of some. */
const anyText = fc.string({ unit: fc.nat(0xffff).map((code) => String.fromCharCode(code)) })

const message = {
  facility: 13,
  severity: 5,
  timeMs: Date.parse('2026-01-02T03:04:05.006Z'),
  hostname: 'gate.example',
  version: '1.2.3',
  messageId: 'decision',
  text: '{"effect":"deny"}',
}

it('is written as RFC 5424 says', () => {
  expect(syslogMessage(message, 'r1', 1000)).toBe(
    '<109>1 2026-01-02T03:04:05.006Z gate.example mcpworks - decision [origin software="mcpworks" swVersion="1.2.3"] {"effect":"deny"}',
  )
})

it('says what it left out where it would be too long', () => {
  const text = JSON.stringify({ reason: 'x'.repeat(1000) })
  const written = syslogMessage({ ...message, text }, 'r1', 500)
  expect(written.length).toBeLessThan(500)
  expect(JSON.parse(written.slice(written.indexOf('] ') + 2))).toEqual({ id: 'r1', omitted_bytes: text.length })
})

it('holds any JSON, in ASCII and on one line, and counts its octets', () => {
  fc.assert(
    fc.property(anyText, anyText, (value, hostname) => {
      const text = JSON.stringify({ value })
      const written = syslogMessage({ ...message, hostname, version: value, text }, 'r1', 1_000_000)
      expect(written).toMatch(/^<109>1 \S+ \S{1,255} mcpworks - decision \[origin [\x20-\x7e]*$/)
      const body = written.slice(written.length - written.split('').toReversed().join('').indexOf(' ]'))
      expect(JSON.parse(body)).toEqual({ value })
      expect(countOctets(written)).toBe(`${written.length} ${written}`)
    }),
    { numRuns: 100 },
  )
})
