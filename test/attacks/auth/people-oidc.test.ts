import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startIssuerOfPeople, type IssuerOfPeople } from '../../support/issuer-of-people.ts'
import { PersonBrowser } from '../../support/person-browser.ts'
import { startTestApp, type TestApp } from '../../support/running-app.ts'

// Sign-in at an issuer (design/threats.md, authentication: A4, A5). Every attack has the honest sign-in as its twin.

let people: IssuerOfPeople
let test: TestApp
let port: number
beforeAll(async () => {
  people = await startIssuerOfPeople()
  test = await startTestApp({
    settings: {
      'auth.people.oidc.issuer': people.issuer.issuer,
      'auth.people.oidc.clientId': 'mcpworks',
      'auth.people.oidc.clientSecret': 'client-secret-of-the-test-which-is-long',
      'auth.people.oidc.networks': '127.0.0.0/8',
      'auth.people.oidc.roles': 'ops=admin,staff=viewer,staff=demo/auditor',
      'auth.people.oidc.allowedDomains': 'example.org',
      'auth.people.oidc.createUsers': 'true',
    },
  })
  port = Number(new URL(test.app.url).port)
  await people.register(`http://localhost:${port}/sign-in/oidc/callback`)
})
afterAll(async () => {
  await test.close()
  await people.issuer.close()
})

const claimsOf = (name: string, groups: string[], more = {}) => ({
  preferred_username: name,
  email: `${name}@example.org`,
  email_verified: true,
  groups,
  ...more,
})

/** The address at the issuer that the browser is sent to. */
async function begin(browser: PersonBrowser): Promise<string> {
  const csrf = await browser.csrf('/sign-in')
  const { text } = await browser.post('/sign-in/oidc', { csrf, return: '/account' })
  const url = /http-equiv="refresh"\s+content="0;url=([^"]+)"/.exec(text)?.[1]?.replaceAll('&#38;', '&')
  if (url === undefined) throw new Error(text)
  return url
}

const arrive = (browser: PersonBrowser, url: URL) => browser.get(`${url.pathname}${url.search}`)

async function signIn(browser: PersonBrowser, sub: string, claims: ReturnType<typeof claimsOf>): Promise<boolean> {
  people.person = { sub, claims }
  await arrive(browser, await people.visit(await begin(browser)))
  return browser.isSignedIn()
}

describe('a person of the issuer', () => {
  it('is let in with the roles of their groups, which are set anew each time', async () => {
    const browser = new PersonBrowser(port)
    expect(await signIn(browser, 'sub-ada', claimsOf('ada', ['staff']))).toBe(true)
    expect(test.app.registry.findPrincipal('ada')?.groups).toEqual(['demo/auditor', 'viewer'])
    expect(await signIn(new PersonBrowser(port), 'sub-ada', claimsOf('ada', ['ops']))).toBe(true)
    expect(test.app.registry.findPrincipal('ada')?.groups).toEqual(['admin'])
    // Out of every group: not let in, and the role is gone from the session that is still open.
    expect(await signIn(new PersonBrowser(port), 'sub-ada', claimsOf('ada', ['visitors']))).toBe(false)
    expect(test.app.registry.findPrincipal('ada')?.groups).toEqual([])
  })

  it.each([
    ['of another domain', { email: 'x@example.com' }],
    ['whose address is not verified', { email_verified: false }],
    ['whose address only looks like the domain', { email: 'x@example.org@evil.example' }],
  ])('%s is not let in', async (_, more) => {
    const before = test.app.registry.listUsers().length
    expect(await signIn(new PersonBrowser(port), 'sub-other', claimsOf('x', ['staff'], more))).toBe(false)
    expect(test.app.registry.listUsers()).toHaveLength(before)
  })

  it('does not become a user who was there before by having that name or address', async () => {
    await test.app.registry.addUser('olga', ['owner'])
    expect(await signIn(new PersonBrowser(port), 'sub-thief', claimsOf('olga', ['staff']))).toBe(true)
    expect(test.app.people.factors.findAccount(people.issuer.issuer, 'sub-thief')?.userId).toBe('olga-2')
    expect(test.app.registry.findPrincipal('olga')?.groups).toEqual(['owner'])
    expect(test.app.people.factors.canSignIn('olga')).toBe(false)
  })

  it('who is disabled here is not let in', async () => {
    expect(await signIn(new PersonBrowser(port), 'sub-dan', claimsOf('dan', ['staff']))).toBe(true)
    await test.manage('platform', 'user.disable', { user: 'dan' })
    expect(await signIn(new PersonBrowser(port), 'sub-dan', claimsOf('dan', ['staff']))).toBe(false)
  })
})

describe('an answer of the issuer', () => {
  it('is worth nothing in another browser than the one that began, and nothing twice', async () => {
    people.person = { sub: 'sub-mal', claims: claimsOf('mal', ['staff']) }
    const [attacker, victim] = [new PersonBrowser(port), new PersonBrowser(port)]
    const stolen = await people.visit(await begin(attacker))
    await victim.get('/sign-in')
    expect((await arrive(victim, stolen)).status).toBe(401)
    expect(await victim.isSignedIn()).toBe(false)
    // It is used up by the attempt, also for the one who began it.
    expect((await arrive(attacker, stolen)).status).toBe(401)
    const honest = await people.visit(await begin(attacker))
    expect((await arrive(attacker, honest)).status).toBe(200)
    expect(await attacker.isSignedIn()).toBe(true)
    expect((await arrive(attacker, honest)).status).toBe(401)
  })

  it('is refused with the code of another sign-in, without a state, or with another issuer', async () => {
    people.person = { sub: 'sub-mal', claims: claimsOf('mal', ['staff']) }
    const tricks: ((url: URL, other: URL) => void)[] = [
      (url, other) => url.searchParams.set('code', other.searchParams.get('code') ?? ''),
      (url) => url.searchParams.delete('state'),
      (url) => url.searchParams.set('state', 'A'.repeat(43)),
      (url) => url.searchParams.set('iss', 'https://evil.example'),
      (url) => url.searchParams.delete('iss'),
      (url) => url.searchParams.set('code', 'x'),
      (url) => url.searchParams.append('state', 'second'),
    ]
    for (const trick of tricks) {
      const browser = new PersonBrowser(port)
      const url = await people.visit(await begin(browser))
      trick(url, await people.visit(await begin(browser)))
      expect((await arrive(browser, url)).status).toBe(401)
      expect(await browser.isSignedIn()).toBe(false)
    }
    const browser = new PersonBrowser(port)
    const url = await people.visit(await begin(browser))
    expect((await arrive(browser, url)).status).toBe(200)
    expect(await browser.isSignedIn()).toBe(true)
  })

  it('of an issuer that is gone lets nobody in, and says nothing of it', async () => {
    const browser = new PersonBrowser(port)
    people.person = { sub: 'sub-mal', claims: claimsOf('mal', ['staff']) }
    const url = await people.visit(await begin(browser))
    people.issuer.goDown()
    const answer = await arrive(browser, url)
    people.issuer.comeBack()
    expect(answer.status).toBe(401)
    expect(answer.text).not.toContain('ECONN')
    expect(await browser.isSignedIn()).toBe(false)
  })
})
