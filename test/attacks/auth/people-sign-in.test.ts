import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { signInRoutes } from '../../../src/http/index.ts'
import { isJsonObject, type JsonObject } from '../../../src/kernel/index.ts'
import { sendRaw } from '../../support/http-harness.ts'
import { asPerson, signedIn } from '../../support/people.ts'
import { PersonBrowser } from '../../support/person-browser.ts'
import { startTestApp, type TestApp } from '../../support/running-app.ts'
import { SoftwareAuthenticator, type CeremonyWishes } from '../../support/software-authenticator.ts'

// Sign-in of people (design/threats.md, authentication: I2 and I12, A4; N3, N5). Each attack has its honest twin.

let test: TestApp
let port: number
let nowMs = 1_800_000_000_000
beforeAll(async () => {
  test = await startTestApp({
    clock: { nowMs: () => nowMs, monotonicMs: () => performance.now() },
    // More than a person sends in a minute; that bound has tests of its own.
    settings: { 'auth.limits.signInRequestsPerMinute': '100000' },
  })
  port = Number(new URL(test.app.url).port)
  await test.apply('demo', { 'namespace.yaml': 'namespace: demo\n' })
})
afterAll(() => test.close())

const newBrowser = (): PersonBrowser => new PersonBrowser(port)

async function link(user: string | null): Promise<string> {
  const { token } = await test.app.people.links.make(user, 'operator')
  return `/sign-in/link/${token}`
}

async function openedLink(path: string): Promise<{ browser: PersonBrowser; csrf: string }> {
  const browser = newBrowser()
  await browser.get(path)
  return { browser, csrf: await browser.csrf('/sign-in/set-up') }
}

const password = 'three wet otters sing'

/** A user with a password, and a browser that is signed in as them. */
async function personWithPassword(name: string): Promise<PersonBrowser> {
  await test.app.registry.addUser(name, ['viewer'])
  const { browser, csrf } = await openedLink(await link(name))
  expect((await browser.post('/sign-in/set-up/password', { csrf, password, repeat: password })).status).toBe(200)
  return browser
}

async function signIn(browser: PersonBrowser, name: string, secret = password, next = '/account') {
  const csrf = await browser.csrf('/sign-in?again=1')
  return browser.post('/sign-in/password', { csrf, name, password: secret, return: next })
}

/** A user with a passkey, its authenticator, and a browser that is signed in. */
async function personWithPasskey(name: string) {
  await test.app.registry.addUser(name, ['viewer'])
  const { browser, csrf } = await openedLink(await link(name))
  const authenticator = new SoftwareAuthenticator(browser.origin)
  const options = await browser.json('/sign-in/set-up/passkey/options', csrf, { name })
  const credential = authenticator.create(challengeOf(options.json))
  const made = await browser.json('/sign-in/set-up/passkey', csrf, { name, label: 'phone', credential })
  expect(made.status).toBe(200)
  return { browser, authenticator }
}

function challengeOf(options: JsonObject): { challenge: string; rp?: { id: string }; rpId?: string } {
  const { challenge, rp, rpId } = options
  return {
    challenge: String(challenge),
    ...(isJsonObject(rp) ? { rp: { id: String(rp.id) } } : {}),
    ...(typeof rpId === 'string' ? { rpId } : {}),
  }
}

async function usePasskey(browser: PersonBrowser, authenticator: SoftwareAuthenticator, wishes: CeremonyWishes = {}) {
  const csrf = await browser.csrf('/sign-in?again=1')
  const options = await browser.json('/sign-in/passkey/options', csrf, {})
  const credential = authenticator.get(challengeOf(options.json), wishes)
  return { answer: await browser.json('/sign-in/passkey', csrf, { credential }), credential, csrf }
}

describe('a session', () => {
  it('has a token that nobody chose for it, and another one after each sign-in', async () => {
    const fixed = 'A'.repeat(43)
    const name = `mcpworks-session-${port}`
    await personWithPassword('fiona')
    const browser = newBrowser()
    browser.cookies.set(name, fixed)
    await signIn(browser, 'fiona')
    const first = browser.cookies.get(name)
    expect(first).not.toBe(fixed)
    await signIn(browser, 'fiona')
    const second = browser.cookies.get(name)
    expect(second).not.toBe(first)
    const old = newBrowser()
    old.cookies.set(name, first ?? '')
    expect(await old.isSignedIn()).toBe(false)
    old.cookies.set(name, fixed)
    expect(await old.isSignedIn()).toBe(false)
    expect(await browser.isSignedIn()).toBe(true)
  })

  it('is nobody where a program on another port has set the cookie too, and is not that of a server there', async () => {
    const browser = await personWithPassword('gert')
    const name = `mcpworks-session-${port}`
    const token = browser.cookies.get(name) ?? ''
    const ask = (cookie: string) =>
      sendRaw(port, { path: '/account', headers: ['Host', browser.host, 'Cookie', cookie] })
    expect((await ask(`${name}=${token}; ${name}=${'B'.repeat(43)}`)).status).toBe(303)
    expect((await ask(`${name}=${'B'.repeat(43)}; ${name}=${token}`)).status).toBe(303)
    expect((await ask(`mcpworks-session-${port + 1}=${token}`)).status).toBe(303)
    expect((await ask(`${name}=${token}`)).status).toBe(200)
  })

  it('is in a cookie that scripts cannot read and other sites do not send', async () => {
    await personWithPassword('hana')
    const browser = newBrowser()
    const answer = await signIn(browser, 'hana')
    const line = answer.headers['set-cookie']?.find((one) => one.startsWith('mcpworks-session-')) ?? ''
    expect(line).toMatch(/; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax$/)
    expect(line).not.toContain('Domain')
  })

  it('opens the management API for our own pages, and an MCP endpoint for nobody', async () => {
    const person = await signedIn(test, 'ida', ['owner'])
    const host = `localhost:${port}`
    const ask = (method: string, path: string, headers: string[], body?: string) =>
      sendRaw(port, {
        method,
        path,
        headers: ['Host', host, 'Cookie', person.cookie, ...headers],
        ...(body === undefined ? {} : { body }),
      })
    const list = '/api/v1/namespaces'
    const add = '/api/v1/namespaces/demo/agents'
    const own = ['Origin', `http://${host}`, 'X-MCPWorks-CSRF', person.csrf, 'Content-Type', 'application/json']
    expect((await ask('GET', list, ['Sec-Fetch-Site', 'same-origin'])).status).toBe(200)
    expect((await ask('GET', list, ['X-MCPWorks-CSRF', person.csrf])).status).toBe(200)
    for (const site of ['cross-site', 'same-site', 'none'])
      expect((await ask('GET', list, ['Sec-Fetch-Site', site])).status).toBe(403)
    expect((await ask('GET', list, [])).status).toBe(403)
    expect((await ask('POST', add, own, '{"agent":"made"}')).status).toBe(200)
    const wrong = [
      ['X-MCPWorks-CSRF', person.csrf, 'Content-Type', 'application/json'],
      ['Origin', `http://${host}`, 'Content-Type', 'application/json'],
      ['Origin', `http://${host}`, 'X-MCPWorks-CSRF', 'x', 'Content-Type', 'application/json'],
      ['Origin', `http://localhost:${port + 1}`, ...own.slice(2)],
      ['Origin', 'null', ...own.slice(2)],
    ]
    for (const headers of wrong) expect((await ask('POST', add, headers, '{"agent":"forged"}')).status).toBe(403)
    expect(test.app.registry.findPrincipal('demo/forged')).toBeNull()
    expect((await ask('POST', '/mcp/demo', own, '{"jsonrpc":"2.0","id":1,"method":"tools/list"}')).status).toBe(401)
    expect((await ask('GET', '/nowhere', ['Sec-Fetch-Site', 'same-origin'])).status).toBe(401)
  })

  it('that is older than ten minutes changes no users and no factors, and still reads', async () => {
    const person = await signedIn(test, 'jane', ['owner'])
    const add = (user: string) => asPerson(test, person, 'POST', '/api/v1/users', { user, roles: [] })
    const browser = newBrowser()
    browser.cookies.set(`mcpworks-session-${port}`, person.cookie.split('=')[1] ?? '')
    nowMs += 600_000
    expect((await add('kate')).status).toBe(200)
    nowMs += 1_000
    expect((await add('karl')).json).toMatchObject({ error: { rules: ['builtin#recent-sign-in'] } })
    expect((await asPerson(test, person, 'GET', '/api/v1/users')).status).toBe(200)
    const csrf = await browser.csrf('/account')
    const changed = await browser.post('/account/password', { csrf, password, repeat: password })
    expect(changed.headers.location).toBe('/sign-in?again=1&return=/account')
    expect((await browser.json('/account/passkeys/options', csrf, {})).status).toBe(401)
    expect(test.app.people.factors.canSignIn('jane')).toBe(false)
  })
})

describe('a form', () => {
  it('of another origin, without its token, or with that of another browser does nothing', async () => {
    await personWithPassword('lena')
    const [browser, attacker] = [newBrowser(), newBrowser()]
    const csrf = await browser.csrf('/sign-in')
    const foreign = await attacker.csrf('/sign-in')
    const fields = { name: 'lena', password, return: '/account' }
    const forged: [Record<string, string>, string[]][] = [
      [{ ...fields, csrf }, []],
      [{ ...fields, csrf }, ['Origin', 'null']],
      [{ ...fields, csrf }, ['Origin', `http://localhost:${port + 1}`]],
      [{ ...fields, csrf }, ['Origin', `http://127.0.0.1:${port}`]],
      [{ ...fields, csrf: foreign }, ['Origin', browser.origin]],
      [{ ...fields, csrf: '' }, ['Origin', browser.origin]],
      [fields, ['Origin', browser.origin]],
    ]
    for (const [body, headers] of forged)
      expect((await browser.post('/sign-in/password', body, headers)).status).toBe(403)
    expect(await browser.isSignedIn()).toBe(false)
    expect((await browser.post('/sign-in/password', { ...fields, csrf })).status).toBe(200)
    expect(await browser.isSignedIn()).toBe(true)
    // Signed in, the forms of the account need the session's own token.
    for (const wrong of [csrf, foreign, '']) expect((await browser.post('/sign-out', { csrf: wrong })).status).toBe(403)
    expect(await browser.isSignedIn()).toBe(true)
    expect((await browser.post('/sign-out', { csrf: await browser.csrf('/account') })).status).toBe(303)
    expect(await browser.isSignedIn()).toBe(false)
  })

  it.each([
    '//evil.example/',
    '/\\evil.example',
    '/\t/evil.example',
    'https://evil.example/',
    'vbscript:msgbox(1)',
    '/.//evil.example',
    '/..//evil.example',
    'evil',
    '',
  ])('does not lead to %j', async (next) => {
    const browser = newBrowser()
    if (test.app.registry.findPrincipal('mona') === null) await personWithPassword('mona')
    const { text } = await signIn(browser, 'mona', password, next)
    expect(text).toContain('url=/account"')
  })

  it('leads back to a path of this server', async () => {
    const { text } = await signIn(newBrowser(), 'mona', password, '/oauth/consent/abc?x=1&y=2')
    expect(text).toContain('url=/oauth/consent/abc?x=1&#38;y=2"')
  })
})

describe('a one-time link', () => {
  it('is good once, also for many at the same time', async () => {
    await test.app.registry.addUser('nina', [])
    const path = await link('nina')
    const racers = await Promise.all(Array.from({ length: 5 }, () => openedLink(path)))
    const answers = await Promise.all(
      racers.map(({ browser, csrf }) => browser.post('/sign-in/set-up/password', { csrf, password, repeat: password })),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    const signedInNow = await Promise.all(racers.map(({ browser }) => browser.isSignedIn()))
    expect(signedInNow.filter(Boolean)).toHaveLength(1)
    expect((await newBrowser().get(path)).status).toBe(401)
  })

  it('makes one first owner at most, and none where somebody can sign in', async () => {
    const empty = await startTestApp()
    try {
      const at = Number(new URL(empty.app.url).port)
      const url = new URL((await empty.app.firstOwnerLink()) ?? '')
      const racers = await Promise.all(
        ['olga', 'petra', 'rosa'].map(async (name) => {
          const browser = new PersonBrowser(at)
          await browser.get(url.pathname)
          return { name, browser, csrf: await browser.csrf('/sign-in/set-up') }
        }),
      )
      const answers = await Promise.all(
        racers.map(({ name, browser, csrf }) =>
          browser.post('/sign-in/set-up/password', { csrf, name, password, repeat: password }),
        ),
      )
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
      expect(empty.app.registry.listUsers().filter(({ groups }) => groups.includes('owner'))).toHaveLength(2)
      expect(await empty.app.firstOwnerLink()).toBeNull()
      const { token } = await empty.app.people.links.make(null, 'operator')
      expect((await new PersonBrowser(at).get(`/sign-in/link/${token}`)).status).toBe(401)
    } finally {
      await empty.close()
    }
  })

  it('ends every session that the user had, and those of nobody else', async () => {
    const [mine, other] = [await personWithPassword('sara'), await personWithPassword('tina')]
    const { browser, csrf } = await openedLink(await link('sara'))
    await browser.post('/sign-in/set-up/password', { csrf, password, repeat: password })
    expect([await mine.isSignedIn(), await other.isSignedIn(), await browser.isSignedIn()]).toEqual([false, true, true])
  })

  it('is worth nothing after a newer one, and for a user who is disabled', async () => {
    await test.app.registry.addUser('uma', [])
    const [older, newer] = [await link('uma'), await link('uma')]
    expect((await newBrowser().get(older)).status).toBe(401)
    expect((await newBrowser().get(newer)).status).toBe(303)
    await test.manage('platform', 'user.disable', { user: 'uma' })
    expect((await newBrowser().get(newer)).status).toBe(401)
  })
})

describe('a passkey', () => {
  it('lets its user in', async () => {
    const { authenticator } = await personWithPasskey('vera')
    const browser = newBrowser()
    expect((await usePasskey(browser, authenticator)).answer.status).toBe(200)
    expect(await browser.isSignedIn()).toBe(true)
  })

  it.each<[string, CeremonyWishes]>([
    ['of another origin', { origin: 'https://evil.example' }],
    ['of another port', { origin: 'http://localhost:1' }],
    ['made for another host', { rpId: 'evil.example' }],
    ['with a challenge of its own', { challenge: Buffer.alloc(32, 7).toString('base64url') }],
    ['that answers another ceremony', { type: 'webauthn.create' }],
    ['whose user was not verified', { flags: 0x01 }],
    ['whose user was not there', { flags: 0x04 }],
    ['whose counter stands still', { counter: 1 }],
    ['whose counter went back to nothing', { counter: 0 }],
  ])('%s lets nobody in', async (_, wishes) => {
    const { authenticator } = await personWithPasskey(`user-${test.app.registry.listUsers().length}`)
    const browser = newBrowser()
    expect((await usePasskey(browser, authenticator, wishes)).answer.status).toBe(401)
    expect(await browser.isSignedIn()).toBe(false)
    expect((await usePasskey(browser, authenticator)).answer.status).toBe(200)
  })

  it('cannot be used again by whoever saw its answer, here or in another browser', async () => {
    const { authenticator } = await personWithPasskey('xenia')
    const browser = newBrowser()
    const csrf = await browser.csrf('/sign-in')
    const options = await browser.json('/sign-in/passkey/options', csrf, {})
    const credential = authenticator.get(challengeOf(options.json))
    const thief = newBrowser()
    const theirs = await thief.csrf('/sign-in')
    expect((await thief.json('/sign-in/passkey', theirs, { credential })).status).toBe(401)
    // The thief has used the challenge up.
    expect((await browser.json('/sign-in/passkey', csrf, { credential })).status).toBe(401)
    const again = await usePasskey(browser, authenticator)
    expect(again.answer.status).toBe(200)
    expect((await browser.json('/sign-in/passkey', await browser.csrf('/sign-in?again=1'), again)).status).toBe(401)
  })

  it('of which there is a copy is refused to the one that comes later', async () => {
    const { authenticator } = await personWithPasskey('yara')
    authenticator.counter = 10
    expect((await usePasskey(newBrowser(), authenticator)).answer.status).toBe(200)
    authenticator.counter = 5
    expect((await usePasskey(newBrowser(), authenticator)).answer.status).toBe(401)
  })

  it('of somebody else cannot be added to an account, nor the challenge of one user used for another', async () => {
    const { browser: mine } = await personWithPasskey('zoe')
    const { browser: other } = await personWithPasskey('zara')
    const [csrf, theirs] = [await mine.csrf('/account'), await other.csrf('/account')]
    const options = await other.json('/account/passkeys/options', theirs, {})
    const credential = new SoftwareAuthenticator(mine.origin).create(challengeOf(options.json))
    expect((await mine.json('/account/passkeys', csrf, { credential })).status).toBe(401)
    const own = await mine.json('/account/passkeys/options', csrf, {})
    const good = new SoftwareAuthenticator(mine.origin).create(challengeOf(own.json))
    expect((await mine.json('/account/passkeys', csrf, { credential: good })).status).toBe(200)
    expect((await other.post('/account/passkeys/remove', { csrf: theirs, passkey: good.id })).status).toBe(400)
    expect(test.app.people.factors.of('zoe').passkeys).toHaveLength(2)
  })
})

describe('somebody who tries names', () => {
  it('is told the same of all of them', async () => {
    await personWithPassword('anna')
    await test.app.registry.addUser('without', [])
    const texts: string[] = []
    for (const name of ['anna', 'without', 'nobody', 'operator', 'demo/made', '']) {
      const answer = await signIn(newBrowser(), name, 'a wrong password indeed')
      expect(answer.status).toBe(401)
      texts.push(answer.text.replaceAll(/value="[^"]*"/g, ''))
    }
    expect(new Set(texts).size).toBe(1)
    const options = [newBrowser(), newBrowser()].map(async (browser) => {
      const { json } = await browser.json('/sign-in/passkey/options', await browser.csrf('/sign-in'), { name: 'anna' })
      return Object.keys(json).sort().join()
    })
    expect(new Set(await Promise.all(options)).size).toBe(1)
  })

  it('waits longer with each failure, known name or not, and the right password does not help then', async () => {
    await personWithPassword('berta')
    for (const name of ['berta', 'no-such-person']) {
      const statuses: number[] = []
      for (let at = 0; at < 7; at += 1) statuses.push((await signIn(newBrowser(), name, 'a wrong password')).status)
      expect(statuses.slice(0, 5)).toEqual([401, 401, 401, 401, 401])
      expect(statuses.at(-1)).toBe(429)
    }
    expect((await signIn(newBrowser(), 'berta')).status).toBe(429)
    nowMs += 1000
    expect((await signIn(newBrowser(), 'berta', 'a wrong password')).status).toBe(401)
    nowMs += 1999
    expect((await signIn(newBrowser(), 'berta')).status).toBe(429)
    nowMs += 1
    expect((await signIn(newBrowser(), 'berta')).status).toBe(200)
  })
})

describe('what a person connected', () => {
  it('is shown to that person only, and taken back by that person only, from the next request on', async () => {
    const [mine, other] = [await personWithPassword('carla'), await personWithPassword('doris')]
    await test.app.registry.addAgent('demo', 'bot', [], { ownerId: 'carla' })
    const grant = await test.app.registry.addCredential('demo/bot', {
      kind: 'grant',
      label: 'An <b>editor</b>',
      scopes: ['mcp'],
      expiresAtMs: null,
      details: { userId: 'carla', clientId: 'editor' },
    })
    const [page, theirs] = [(await mine.get('/account')).text, (await other.get('/account')).text]
    expect(page).toContain('An &#60;b&#62;editor&#60;/b&#62;')
    expect(page).toContain('demo/bot')
    expect(theirs).not.toContain(grant.id)
    expect(theirs).not.toContain('demo/bot')
    const forged = await other.post('/account/grants/revoke', { csrf: await other.csrf('/account'), grant: grant.id })
    expect(forged.status).toBe(404)
    expect(test.app.registry.findActiveCredential(grant.id)).not.toBeNull()
    await mine.post('/account/grants/revoke', { csrf: await mine.csrf('/account'), grant: grant.id })
    expect(test.app.registry.findActiveCredential(grant.id)).toBeNull()
  })

  it('can be ended session by session, by nobody else', async () => {
    const [mine, other] = [await personWithPassword('emmy'), await personWithPassword('frida')]
    const second = newBrowser()
    await signIn(second, 'emmy')
    const ids = test.app.people.sessions.list('emmy').map(({ id }) => id)
    expect(ids).toHaveLength(2)
    for (const id of ids) await other.post('/account/sessions/end', { csrf: await other.csrf('/account'), session: id })
    expect(test.app.people.sessions.list('emmy')).toHaveLength(2)
    await mine.post('/account/sessions/end-others', { csrf: await mine.csrf('/account') })
    expect([await mine.isSignedIn(), await second.isSignedIn()]).toEqual([true, false])
  })
})

describe('the record', () => {
  it('has every beginning, end and change, and none of the secrets', async () => {
    const path = await link('emmy')
    const { browser, csrf } = await openedLink(path)
    await browser.post('/sign-in/set-up/password', { csrf, password, repeat: password })
    await browser.post('/sign-out', { csrf: await browser.csrf('/account') })
    const { records } = await test.manage('platform', 'audit.tail', { namespace: 'platform', limit: 1000 })
    const text = JSON.stringify(records)
    const types = [...text.matchAll(/"type":"([a-z-]+)"/g)].map(([, type]) => type)
    for (const type of ['link-made', 'factor-added', 'session-begun', 'session-ended']) expect(types).toContain(type)
    for (const secret of [path.split('/').at(-1) ?? '', password, ...browser.cookies.values(), 'argon2id'])
      expect(text).not.toContain(secret)
  })
})

describe('a stranger', () => {
  const routes = () => signInRoutes(test.app.people, { nowMs: () => nowMs, monotonicMs: () => 0 })

  it('is sent to sign in, or refused, by every page that is about a person', async () => {
    const shown: string[] = []
    for (const { method, path } of routes()) {
      const at = path.replace('{token}', 'A'.repeat(43))
      const browser = newBrowser()
      const csrf = await browser.csrf('/sign-in')
      const answer = method === 'GET' ? await browser.get(at) : await browser.post(at, { csrf })
      if (answer.status < 300) shown.push(`${method} ${path}`)
      expect([path, answer.status < 500]).toEqual([path, true])
      expect(await browser.isSignedIn()).toBe(false)
    }
    // The options are the same for everybody; the rest says nothing of anybody.
    expect(shown).toEqual([
      'GET /sign-in/style.css',
      'GET /sign-in/passkey.js',
      'GET /sign-in',
      'POST /sign-in/passkey/options',
    ])
  })

  it('gets every page without a frame, a cache or anything from elsewhere, whatever the answer', async () => {
    for (const path of ['/sign-in', '/sign-in/set-up', '/account', `/sign-in/link/${'A'.repeat(43)}`]) {
      const { headers } = await newBrowser().get(path)
      expect(headers['content-security-policy']).toContain("default-src 'none'; script-src 'self'")
      expect(headers['content-security-policy']).toContain("frame-ancestors 'none'")
      expect([headers['x-frame-options'], headers['cache-control']]).toEqual(['DENY', 'no-store'])
    }
  })

  it('who sends bytes that are no form is told so', async () => {
    const browser = newBrowser()
    const csrf = await browser.csrf('/sign-in')
    const send = (type: string, body: string) =>
      sendRaw(port, {
        method: 'POST',
        path: '/sign-in/password',
        headers: [
          'Host',
          browser.host,
          'Origin',
          browser.origin,
          'Cookie',
          [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; '),
          'Content-Type',
          type,
          'X-MCPWorks-CSRF',
          csrf,
        ],
        body,
      })
    const statuses = [
      await send('text/plain', 'name=a'),
      await send('application/json', '[1]'),
      await send('application/json', '{"name":{"a":1},"password":[]}'),
      await send('application/x-www-form-urlencoded', 'name=a&name=b'),
      await send('application/x-www-form-urlencoded', `name=${'a'.repeat(70_000)}`),
      await send('application/x-www-form-urlencoded', '%ff%fe=%00&__proto__=x&constructor=y'),
    ].map(({ status }) => status)
    expect(statuses).toEqual([415, 400, 401, 400, 413, 401])
  })
})
