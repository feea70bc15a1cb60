import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { verifies } from '../../conformance/requirements.ts'
import { addApplication, redirectUri, startCodeFlow } from '../../support/code-flow.ts'
import { createOauthBrowser, formOf, type BrowserAnswer } from '../../support/oauth-browser.ts'
import { asPerson, signedIn } from '../../support/people.ts'
import { startTestApp, type TestApp } from '../../support/running-app.ts'

// Getting a person's consent without the person, or for what is not theirs to give (RFC 9700 sections 4.7, 4.16 and
// 4.17; confused deputy). The control is the same page answered as it should be.

let app: TestApp
beforeAll(async () => {
  app = await startTestApp()
  await app.apply('demo', { 'namespace.yaml': 'namespace: demo\nagents:\n  - name: unowned\n' })
  await app.apply('elsewhere', { 'namespace.yaml': 'namespace: elsewhere\nagents:\n  - name: unowned\n' })
  await signedIn(app, 'bob', [])
  await app.app.registry.addAgent('demo', 'bobs', [], { ownerId: 'bob' })
})
afterAll(() => app.close())

const allow = { decision: 'allow', agent: 'demo/anna-agent' }
const codeOf = (answer: BrowserAnswer): string | null =>
  answer.location === null ? null : new URL(answer.location).searchParams.get('code')

describe('a forged answer', () => {
  it.each([
    ['without the token', { csrf: '' }],
    ['with another token', { csrf: 'A'.repeat(43) }],
  ])('%s gives nothing, and the page can still be answered', async (_what, fields) => {
    const flow = await startCodeFlow(app)
    const page = await flow.ask()
    const forged = await flow.browser.submit(page, { ...allow, ...fields })
    expect([forged.status, codeOf(forged)]).toEqual([403, null])
    expect(codeOf(await flow.browser.submit(page, allow))).not.toBeNull()
  })

  it('with the token of another question of the same person gives nothing', async () => {
    const flow = await startCodeFlow(app)
    const [first, second] = [await flow.ask(), await flow.ask()]
    const csrf = formOf(first, {}).get('csrf') ?? ''
    expect(codeOf(await flow.browser.submit(second, { ...allow, csrf }))).toBeNull()
    expect(codeOf(await flow.browser.submit(second, allow))).not.toBeNull()
  })

  it('with the token of another person gives nothing', async () => {
    const flow = await startCodeFlow(app)
    const bob = await signedIn(app, 'bob', [])
    const theirs = await createOauthBrowser([bob.cookie]).open(flow.authorizeUrl())
    const csrf = formOf(theirs, {}).get('csrf') ?? ''
    const mine = await flow.ask()
    expect(codeOf(await flow.browser.submit(mine, { ...allow, csrf }))).toBeNull()
  })

  it('from another origin is refused at the door', async () => {
    const flow = await startCodeFlow(app)
    const page = await flow.ask()
    const form = formOf(page, allow)
    for (const origin of ['https://evil.example', 'null']) {
      const answer = await flow.browser.send(page.url, { form, headers: { origin } })
      expect([answer.status, answer.location]).toEqual([403, null])
    }
  })

  it('that is not a form, or says a thing twice, gives nothing', async () => {
    const flow = await startCodeFlow(app)
    const page = await flow.ask()
    const form = formOf(page, allow)
    const json = await flow.browser.send(page.url, { form, headers: { 'content-type': 'text/plain' } })
    expect(codeOf(json)).toBeNull()
    const twice = formOf(page, allow)
    twice.append('csrf', form.get('csrf') ?? '')
    expect(codeOf(await flow.browser.send(page.url, { form: twice }))).toBeNull()
  })
})

describe('the question', () => {
  it(verifies('as-consent', 'can be answered only in the browser that was asked'), async () => {
    const flow = await startCodeFlow(app)
    const page = await flow.ask()
    const victim = createOauthBrowser([flow.person.cookie])
    const shown = await victim.send(page.url)
    expect([shown.status, shown.text.includes('name="csrf"')]).toEqual([400, false])
    const answered = await victim.send(page.url, { form: formOf(page, allow) })
    expect([answered.status, answered.location]).toEqual([400, null])
  })

  it('is answered once', async () => {
    const flow = await startCodeFlow(app)
    const page = await flow.ask()
    expect(codeOf(await flow.browser.submit(page, allow))).not.toBeNull()
    expect(codeOf(await flow.browser.submit(page, allow))).toBeNull()
  })

  it('cannot be taken over by whoever signs in later in the same browser', async () => {
    const flow = await startCodeFlow(app)
    const page = await flow.ask()
    await app.app.people.sessions.end('anna', flow.person.sessionId, 'test', '')
    const answer = await flow.browser.submit(page, allow)
    expect([codeOf(answer), new URL(answer.url).pathname]).not.toEqual([expect.any(String), '/callback'])
    expect(codeOf(answer)).toBeNull()
  })
})

describe('an agent', () => {
  it.each(['demo/bobs', 'demo/unowned', 'elsewhere/unowned', 'demo/nobody', '', 'operator'])(
    'that is not the person’s cannot be given away: %j',
    async (agent) => {
      const flow = await startCodeFlow(app)
      const page = await flow.ask()
      expect(page.text).not.toContain('demo/bobs')
      const answer = await flow.browser.submit(page, { decision: 'allow', agent })
      expect([answer.status, codeOf(answer)]).toEqual([400, null])
    },
  )

  it('that is the person’s, of another namespace, is not given for this one', async () => {
    await signedIn(app, 'anna', [])
    if (app.app.registry.findPrincipal('elsewhere/annas') === null)
      await app.app.registry.addAgent('elsewhere', 'annas', [], { ownerId: 'anna' })
    const flow = await startCodeFlow(app)
    const answer = await flow.browser.submit(await flow.ask(), { decision: 'allow', agent: 'elsewhere/annas' })
    expect(codeOf(answer)).toBeNull()
    const there = await flow.ask({ resource: `${app.app.url}/mcp/elsewhere` })
    expect(codeOf(await flow.browser.submit(there, { decision: 'allow', agent: 'elsewhere/annas' }))).not.toBeNull()
  })

  it('that has another owner, or whose owner is disabled, is not acted as by what its former owner allowed', async () => {
    const flow = await startCodeFlow(app)
    const { json } = await flow.tokens()
    const list = async (): Promise<number> =>
      (
        await fetch(`${app.app.url}/mcp/demo`, {
          method: 'POST',
          headers: { authorization: `Bearer ${String(json.access_token)}`, 'content-type': 'application/json' },
          body: '{}',
        })
      ).status
    const { registry } = app.app
    expect(await list()).not.toBe(401)
    await registry.update('demo/anna-agent', { ownerId: 'bob' })
    expect(await list()).toBe(401)
    await registry.update('demo/anna-agent', { ownerId: null })
    expect(await list()).toBe(401)
    await registry.update('demo/anna-agent', { ownerId: 'anna' })
    await registry.update('anna', { disabledAtMs: 1 })
    expect(await list()).toBe(401)
    await registry.update('anna', { disabledAtMs: null })
    expect(await list()).not.toBe(401)
  })

  it('does not become an author’s, or whose the author wants, by applying a directory', async () => {
    const apply = async (who: Parameters<typeof asPerson>[1], agent: string, more = '') => {
      const text = `namespace: written\nagents:\n  - name: ${agent}\n${more}`
      const body = { files: [{ path: 'namespace.yaml', text }] }
      return (await asPerson(app, who, 'POST', '/api/v1/namespaces/written/apply', body)).status
    }
    const [author, admin] = [await signedIn(app, 'wanda', ['author']), await signedIn(app, 'adam', ['admin'])]
    const ownerOf = (agent: string) => app.app.registry.findPrincipal(`written/${agent}`)?.ownerId
    expect([await apply(author, 'first'), ownerOf('first')]).toEqual([200, null])
    expect([await apply(author, 'second', '    owner: wanda\n'), ownerOf('second')]).toEqual([403, undefined])
    expect([await apply(admin, 'third'), ownerOf('third')]).toEqual([200, 'adam'])
    expect([await apply(admin, 'fourth', '    owner: wanda\n'), ownerOf('fourth')]).toEqual([200, 'wanda'])
  })

  it('is given for as long as the server allows at most', async () => {
    const flow = await startCodeFlow(app)
    for (const days of ['0', '-1', '91', '1e9', '7.5', 'x'])
      expect(codeOf(await flow.browser.submit(await flow.ask(), { ...allow, days }))).toBeNull()
    expect(codeOf(await flow.browser.submit(await flow.ask(), { ...allow, days: '90' }))).not.toBeNull()
  })
})

describe('the page', () => {
  it('cannot be framed, scripted, cached or referred to', async () => {
    const flow = await startCodeFlow(app)
    const { headers } = await flow.ask()
    const policy = String(headers['content-security-policy'])
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).toContain("base-uri 'none'")
    expect(policy).not.toMatch(/script-src|unsafe/)
    expect(policy).toContain("form-action 'self' http://127.0.0.1:9")
    expect(headers).toMatchObject({
      'x-frame-options': 'DENY',
      'referrer-policy': 'same-origin',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    })
  })

  it('shows what a client calls itself as text', async () => {
    const evil = '<img src=x onerror=alert(1)>"\'&{{7*7}}'
    const added = await app.manage('platform', 'application.add', { title: evil, redirects: [redirectUri] })
    const flow = await startCodeFlow(app, { clientId: (added.application as { id: string }).id })
    const { text } = await flow.ask()
    expect(text).not.toContain('<img')
    expect(text).toContain('&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;{{7*7}}')
  })

  it('leaves cookies that no other site makes a browser send with a form, and no script reads', async () => {
    const flow = await startCodeFlow(app)
    const start = await flow.browser.send(flow.authorizeUrl().replace('127.0.0.1', 'localhost'))
    const cookies = [start.headers['set-cookie'] ?? []].flat()
    expect(cookies).toHaveLength(2)
    for (const cookie of cookies) {
      expect(cookie).toMatch(/; path=\/oauth\/(consent|authorize)\/[\w-]+;/)
      expect(cookie.toLowerCase()).toContain('httponly')
      expect(cookie.toLowerCase()).toContain('samesite=lax')
    }
  })
})

describe('an earlier consent', () => {
  it('is not taken for a client on loopback, which any program can claim to be', async () => {
    const flow = await startCodeFlow(app)
    await flow.code()
    expect((await flow.ask()).text).toContain('Let an application act for you?')
  })

  it('is taken for an operator’s client with an https redirect, for the same redirect and resource alone', async () => {
    const https = 'https://client.example/cb'
    const clientId = await addApplication(app, [https, 'https://client.example/other'])
    const flow = await startCodeFlow(app, { clientId })
    const first = await flow.browser.submit(await flow.ask({ redirect_uri: https }), allow)
    expect(codeOf(first)).not.toBeNull()
    expect(codeOf(await flow.ask({ redirect_uri: https }))).not.toBeNull()
    for (const parameters of [
      { redirect_uri: 'https://client.example/other' },
      { redirect_uri: https, prompt: 'consent' },
      { redirect_uri: https, resource: `${app.app.url}/mcp/elsewhere` },
    ])
      expect(codeOf(await flow.ask(parameters))).toBeNull()
    const bob = createOauthBrowser([(await signedIn(app, 'bob', [])).cookie])
    expect(codeOf(await bob.open(flow.authorizeUrl({ redirect_uri: https })))).toBeNull()
  })
})
