import { describe, expect, it } from 'vitest'
import { exportersConfigSchema } from './config.ts'

const secret = 'a secret of more than thirty-two characters'
const webhook = { type: 'webhook', name: 'siem', url: 'https://siem.example/hook' }
const mistakes = (config: object): string[] => {
  const parsed = exportersConfigSchema.safeParse(config)
  return parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
}

describe('the configuration of exporters', () => {
  it('takes secrets as a mapping, or as the JSON text of a variable', () => {
    for (const secrets of [{ siem: secret }, JSON.stringify({ siem: secret })])
      expect(exportersConfigSchema.parse({ secrets, receivers: [webhook] }).secrets).toEqual({ siem: secret })
    expect(exportersConfigSchema.parse({ secrets: '' }).secrets).toEqual({})
  })

  it('takes a key as Standard Webhooks writes it', () => {
    expect(mistakes({ secrets: { siem: `whsec_${'Ab3d'.repeat(8)}` }, receivers: [webhook] })).toEqual([])
  })

  it.each([
    ['a webhook without a secret', { receivers: [webhook] }, /receivers.0: a webhook needs a secret/],
    ['a short secret', { secrets: { siem: 'short' }, receivers: [webhook] }, /at least 32 characters/],
    [
      'a key that is no base64, and would be an empty one',
      { secrets: { siem: `whsec_${'!'.repeat(40)}` }, receivers: [webhook] },
      /must be base64/,
    ],
    [
      'a key of few bytes',
      { secrets: { siem: `whsec_${'Ab3d'.repeat(7)}` }, receivers: [webhook] },
      /at least 24 bytes/,
    ],
    ['a secret of nobody', { secrets: { other: secret } }, /there is no receiver other/],
    [
      'two that write to one file',
      { receivers: ['f1', 'f2'].map((name) => ({ type: 'file', name, path: '/var/log/mcpworks' })) },
      /receivers: two receivers would write to \/var\/log\/mcpworks/,
    ],
    [
      'one that writes to the full files of another',
      {
        receivers: ['', '.1'].map((end) => ({ type: 'file', name: `f${end.length}`, path: `/var/log/mcpworks${end}` })),
      },
      /two receivers would write to \/var\/log\/mcpworks\.1/,
    ],
    [
      'a file without a place',
      { receivers: [{ type: 'file', name: 'f1', path: 'mcpworks.jsonl' }] },
      /an absolute path/,
    ],
    [
      'a secret that breaks a header',
      { secrets: { a1: 'x\r\ny' }, receivers: [{ type: 'otlp', name: 'a1' }] },
      /ASCII/,
    ],
    ['one name twice', { secrets: { siem: secret }, receivers: [webhook, webhook] }, /two have one name/],
    ['no address', { receivers: [{ type: 'otlp', name: 'a1' }] }, /needs an url with the preset generic/],
    ['no address of Phoenix', { receivers: [{ type: 'otlp', name: 'a1', preset: 'phoenix' }] }, /phoenix/],
    ['no keys of Langfuse', { receivers: [{ type: 'otlp', name: 'a1', preset: 'langfuse' }] }, /PUBLIC:SECRET/],
    ['no key of LangSmith', { receivers: [{ type: 'otlp', name: 'a1', preset: 'langsmith' }] }, /API key/],
    ['an address that is none', { receivers: [{ type: 'syslog', name: 'a1', url: 'tcp://host' }] }, /url/],
    ['a type that there is not', { receivers: [{ type: 'kafka', name: 'a1' }] }, /receivers.0/],
  ])('refuses %s', (_, config, expected) => {
    expect(mistakes(config).join('\n')).toMatch(expected)
  })

  it('tells of malformed secrets without showing them', () => {
    const told = mistakes({ secrets: '{"siem": "a canary of a secret' }).join('\n')
    expect(told).toMatch(/JSON object/)
    expect(told).not.toMatch(/canary/)
  })
})
