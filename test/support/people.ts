import type { JsonObject } from '../../src/kernel/index.ts'
import { sendRaw, type RawAnswer } from './http-harness.ts'
import type { TestApp } from './running-app.ts'

/** A person who is signed in: what the browser keeps, and what our pages send besides. */
export interface TestPerson {
  readonly id: string
  readonly sessionId: string
  readonly cookie: string
  readonly csrf: string
}

/** The port and the origin of the pages for people of a test's server. */
function placeOf(app: TestApp['app']): { port: number; host: string; origin: string; cookieName: string } {
  const port = Number(new URL(app.url).port)
  return {
    port,
    host: `localhost:${port}`,
    origin: `http://localhost:${port}`,
    cookieName: `mcpworks-session-${port}`,
  }
}

/** Adds a user where it is not there, and begins a session as if they had just signed in. */
export async function signedIn({ app }: TestApp, id: string, roles: readonly string[]): Promise<TestPerson> {
  if (app.registry.findPrincipal(id) === null) await app.registry.addUser(id, roles)
  const { token, session } = await app.people.sessions.begin({
    userId: id,
    method: 'passkey',
    address: '127.0.0.1',
    claimedName: 'test',
  })
  const cookie = `${placeOf(app).cookieName}=${token}`
  const person = app.people.signIn.personOf(cookie, app.url)
  if (person === null) throw new Error(`${id} is not signed in`)
  return { id, sessionId: session.id, cookie, csrf: person.csrf }
}

/** A request to the management API as a page of ours would make it. */
export function asPerson(
  { app }: TestApp,
  person: TestPerson,
  method: string,
  path: string,
  body: JsonObject | null = null,
): Promise<RawAnswer> {
  const { port, host, origin } = placeOf(app)
  return sendRaw(port, {
    method,
    path,
    headers: [
      'Host',
      host,
      'Cookie',
      person.cookie,
      'X-MCPWorks-CSRF',
      person.csrf,
      'Origin',
      origin,
      'Sec-Fetch-Site',
      'same-origin',
      ...(body === null ? [] : ['Content-Type', 'application/json']),
    ],
    ...(body === null ? {} : { body: JSON.stringify(body) }),
  })
}
