import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { isJsonObject } from '../../kernel/index.ts'
import type { ClientCredential, ConnectClient, Endpoint } from './connect-client.ts'
import { connectClients } from './connect-clients.ts'
import { readJsonc } from './edit-jsonc.ts'
import { readToml } from './edit-toml.ts'
import { planEntry } from './plan-entry.ts'

const golden = join(import.meta.dirname, 'golden')

function endpoint(credential: ClientCredential = { kind: 'oauth', clientId: null }): Endpoint {
  return { name: 'mcpworks-demo', namespace: 'demo', url: 'http://127.0.0.1:7433/mcp/demo', credential }
}

const reference: ClientCredential = { kind: 'key-reference', variable: 'MCPWORKS_AGENT_KEY' }

/** A file with other servers in it, settings besides, comments and a formatting of its own. */
function lived(client: ConnectClient): string {
  if (client.format === 'toml') {
    return [
      '# my settings',
      'model = "some-model"   # the big one',
      '',
      '[mcp_servers.other]',
      'command = "npx" # keep',
      'args = ["-y", "a-server"]',
      '',
      '# how much it may do',
      '[sandbox]',
      "mode = 'strict'",
      '',
    ].join('\n')
  }
  return [
    '{',
    '    // my settings',
    '    "theme": "dark",',
    `    "${client.servers}": {`,
    '        /* do not touch */',
    `        "other": { "command": "npx", "args": ["-y", "a-server"] } // keep`,
    '    },',
    '    "last": [1,2,   3]',
    '}',
    '',
  ].join('\n')
}

function planned(client: ConnectClient, text: string | null, to = endpoint(), remove = false): string {
  const outcome = planEntry(client, text, to, remove)
  if (!outcome.ok) throw new Error(outcome.problem)
  return outcome.text
}

function valueAt(client: ConnectClient, text: string, path: readonly string[]): unknown {
  const read = client.format === 'toml' ? readToml(text) : readJsonc(text, [])
  if (!read.ok) throw new Error(read.problem)
  return read.value(path)
}

describe.each(connectClients.map((client) => ({ name: client.name, client })))(
  'the file of $name',
  ({ client, name }) => {
    const golden1 = (what: string): string => join(golden, `${name}.${what}.golden`)
    const entry = [client.servers, 'mcpworks-demo']

    it('is made where there is none', async () => {
      const text = planned(client, null)
      await expect(text).toMatchFileSnapshot(golden1('new'))
      expect(planned(client, '')).toBe(text)
    })

    it('names a variable or an input in place of an API key', async () => {
      const text = planned(client, null, endpoint(reference))
      await expect(text).toMatchFileSnapshot(golden1('key'))
      expect(text).not.toContain('mcpw_')
    })

    it('keeps other servers, settings, comments and formatting', async () => {
      const before = lived(client)
      const text = planned(client, before)
      await expect(text).toMatchFileSnapshot(golden1('lived'))
      const kept = before.split('\n').filter((line) => !/^\s*[}\]],?$/.test(line))
      // One line gets a comma.
      for (const line of kept)
        expect(text.replace('] }, //', '] } //').replace('[1,2,   3],', '[1,2,   3]')).toContain(line)
      expect(valueAt(client, text, [client.servers, 'other'])).toEqual(
        valueAt(client, before, [client.servers, 'other']),
      )
    })

    it('is not changed by a second run', () => {
      const text = planned(client, lived(client))
      expect(planned(client, text)).toBe(text)
      const keyed = planned(client, lived(client), endpoint(reference))
      expect(planned(client, keyed, endpoint(reference))).toBe(keyed)
    })

    it('stays as it is to the letter when what is not there is removed', () => {
      for (const text of [lived(client), lived(client).trimEnd()])
        expect(planned(client, text, endpoint(), true)).toBe(text)
    })

    it('loses the entry and nothing else when it is removed', () => {
      const before = lived(client)
      expect(planned(client, planned(client, before, endpoint(reference)), endpoint(), true)).toBe(before)
    })

    it('goes from an API key to the browser, and keeps what somebody added to our entry', () => {
      const keyed = planned(client, lived(client), endpoint(reference))
      const added =
        client.format === 'toml'
          ? keyed.replace(
              '[mcp_servers.mcpworks-demo]\n',
              '[mcp_servers.mcpworks-demo]\nstartup_timeout_sec = 20 # slow\n',
            )
          : keyed.replace('"mcpworks-demo": {', '"mcpworks-demo": {\n            "disabled": false, // for now')
      const text = planned(client, added)
      expect(text).not.toMatch(/MCPWORKS_AGENT_KEY|promptString/)
      expect(text).toMatch(
        client.format === 'toml' ? /startup_timeout_sec = 20 # slow/ : /"disabled": false, \/\/ for now/,
      )
    })

    it('says that an entry of that name is of something else, and replaces all of it', () => {
      const theirs = { ...endpoint(reference), url: 'https://elsewhere.example/mcp' }
      const outcome = planEntry(client, planned(client, lived(client), theirs), endpoint(), false)
      expect(outcome).toMatchObject({ ok: true, replaces: 'https://elsewhere.example/mcp' })
      expect(planEntry(client, planned(client, null), endpoint(), false)).toMatchObject({ ok: true, replaces: null })
      const text = outcome.ok ? outcome.text : ''
      expect(text).not.toContain('elsewhere')
      expect(isJsonObject(valueAt(client, text, entry))).toBe(true)
    })

    it('is left alone where it is invalid, with the place of the mistake', () => {
      const broken = client.format === 'toml' ? 'model = "a"\nmodel == 3\n' : '{\n  "a": 1\n  "b": 2\n}\n'
      const outcome = planEntry(client, broken, endpoint(), false)
      expect(outcome).toMatchObject({ ok: false, line: client.format === 'toml' ? 2 : 3 })
    })

    it('is left alone where the entries are not what they should be', () => {
      const odd = client.format === 'toml' ? 'mcp_servers = 3\n' : `{ "${client.servers}": [] }`
      expect(planEntry(client, odd, endpoint(), false)).toMatchObject({ ok: false })
    })

    it('keeps the byte order mark and the ends of lines', () => {
      const before = `\ufeff${lived(client).replaceAll('\n', '\r\n')}`
      const text = planned(client, before)
      expect(text.startsWith('\ufeff')).toBe(true)
      expect(text.replaceAll('\r\n', '')).not.toContain('\n')
    })
  },
)

it('leaves JSON alone in which the same member is there twice', () => {
  const [client] = connectClients
  if (client === undefined) throw new Error('no client')
  expect(planEntry(client, '{"mcpServers": {}, "mcpServers": {}}', endpoint(), false)).toMatchObject({
    ok: false,
    problem: 'the member "mcpServers" is there twice',
  })
})

it.each([
  ['a table written inline', 'mcp_servers = { other = { command = "x" } }\n'],
  [
    'our table written with dotted keys',
    'mcp_servers.mcpworks-demo.url = "http://127.0.0.1:7433/mcp/demo"\nmcp_servers.mcpworks-demo.bearer_token_env_var = "X"\n',
  ],
  [
    'our table inside a text of several lines',
    'note = """\n[mcp_servers.mcpworks-demo]\nurl = "x"\n"""\n[mcp_servers]\nmcpworks-demo = { url = "http://127.0.0.1:7433/mcp/demo", bearer_token_env_var = "X" }\n',
  ],
])('leaves TOML alone with %s', (_, text) => {
  const client = connectClients.find(({ format }) => format === 'toml')
  if (client === undefined) throw new Error('no client')
  expect(planEntry(client, text, endpoint(), false)).toMatchObject({
    ok: false,
    problem: expect.stringContaining('cannot be changed safely'),
  })
})

it('has no golden file that no test reads', () => {
  const wanted = connectClients.flatMap(({ name }) => ['new', 'key', 'lived'].map((what) => `${name}.${what}.golden`))
  expect(existsSync(golden) ? readdirSync(golden).sort() : []).toEqual(wanted.sort())
})
