import { expect, it } from 'vitest'
import { configSchema, type Config } from './schema.ts'
import { configDigest, shownSettings } from './shown-settings.ts'

const secret = 'a-canary-secret-of-more-than-thirty-two-characters'
const config = (more: object = {}): Config => configSchema.parse({ dataDirectory: '/nowhere', ...more })
const valueOf = (path: string, of: Config) => shownSettings(of).find((setting) => setting.path === path)?.value

it('shows every setting, and of secrets only whether there are any', () => {
  const some = config({
    storage: { database: { url: `postgres://app:${secret}@localhost/db` } },
    exporters: {
      metricsToken: secret,
      secrets: { siem: secret },
      receivers: [{ name: 'siem', type: 'webhook', url: 'https://siem.example/' }],
    },
  })
  const shown = JSON.stringify(shownSettings(some))
  expect(shown).not.toContain('canary')
  expect(valueOf('exporters.secrets', some)).toBe('(secret)')
  expect(valueOf('storage.database.url', some)).toBe('(secret)')
  expect(valueOf('http.requestStateKey', some)).toBe(null)
  expect(valueOf('http.port', some)).toBe(7433)
})

it('has one digest for one configuration, whatever its secrets are', () => {
  const digest = configDigest(config({ exporters: { metricsToken: secret } }))
  expect(configDigest(config({ exporters: { metricsToken: `${secret}-too` } }))).toBe(digest)
  expect(configDigest(config())).not.toBe(digest)
  expect(configDigest(config({ exporters: { metricsToken: secret }, http: { port: 1 } }))).not.toBe(digest)
})
