import { createHash, randomBytes } from 'node:crypto'
import type { JsonObject } from '../../src/kernel/index.ts'
import { createOauthBrowser, type BrowserAnswer, type OauthBrowser } from './oauth-browser.ts'
import { signedIn, type TestPerson } from './people.ts'
import type { TestApp } from './running-app.ts'

/** Where a native client of a test would listen. Nobody does: the browser stops there. */
export const redirectUri = 'http://127.0.0.1:9/callback'

/** A client with a person before it, up to the point that a test is about. */
export interface CodeFlow {
  readonly browser: OauthBrowser
  readonly person: TestPerson
  readonly clientId: string
  readonly verifier: string
  /** The authorization request, with parameters laid over; `null` leaves one out. */
  authorizeUrl(parameters?: Readonly<Record<string, string | null>>): string
  /** The consent page. */
  ask(parameters?: Readonly<Record<string, string | null>>): Promise<BrowserAnswer>
  /** From the request to the code, with the person agreeing. */
  code(parameters?: Readonly<Record<string, string | null>>): Promise<string>
  /** From the request to the tokens. */
  tokens(headers?: Readonly<Record<string, string>>): Promise<TokenAnswer>
  exchange(code: string, fields?: Readonly<Record<string, string>>, headers?: Headers): Promise<TokenAnswer>
  refresh(token: string, fields?: Readonly<Record<string, string>>, headers?: Headers): Promise<TokenAnswer>
}

type Headers = Readonly<Record<string, string>>

/** An answer of the token endpoint. */
export interface TokenAnswer {
  readonly status: number
  readonly json: JsonObject
  readonly headers: globalThis.Headers
}

/** Adds an application whose redirect is on loopback, as an operator does. */
export async function addApplication(app: TestApp, redirects: readonly string[] = [redirectUri]): Promise<string> {
  const added = await app.manage('platform', 'application.add', { title: 'Test client', redirects: [...redirects] })
  return String((added.application as JsonObject).id)
}

/** Signs `anna` in, who has the agent `demo/anna-agent`, and sets a client up. */
export async function startCodeFlow(app: TestApp, options: { readonly clientId?: string } = {}): Promise<CodeFlow> {
  const { url, registry } = app.app
  const person = await signedIn(app, 'anna', [])
  if (registry.findPrincipal('demo/anna-agent') === null)
    await registry.addAgent('demo', 'anna-agent', [], { ownerId: 'anna' })
  const browser = createOauthBrowser([person.cookie])
  const clientId = options.clientId ?? (await addApplication(app))
  const verifier = randomBytes(32).toString('base64url')

  function authorizeUrl(parameters: Readonly<Record<string, string | null>> = {}): string {
    const all: Record<string, string | null> = {
      response_type: 'code',
      client_id: clientId,
      redirect_uri: redirectUri,
      resource: `${url}/mcp/demo`,
      scope: 'mcp',
      state: 'the-state',
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
      ...parameters,
    }
    const given = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== null)
    return `${url}/oauth/authorize?${new URLSearchParams(given).toString()}`
  }

  const ask: CodeFlow['ask'] = (parameters) => browser.open(authorizeUrl(parameters))

  async function code(parameters?: Readonly<Record<string, string | null>>): Promise<string> {
    const answer = await browser.submit(await ask(parameters), { decision: 'allow', agent: 'demo/anna-agent' })
    const given = answer.location === null ? null : new URL(answer.location).searchParams.get('code')
    if (given === null) throw new Error(`no code: ${answer.status} ${answer.location ?? ''} ${answer.text}`)
    return given
  }

  const exchange: CodeFlow['exchange'] = (given, fields = {}, headers = {}) =>
    post(
      `${url}/oauth/token`,
      {
        grant_type: 'authorization_code',
        client_id: clientId,
        redirect_uri: redirectUri,
        code_verifier: verifier,
        code: given,
        ...fields,
      },
      headers,
    )

  return {
    browser,
    person,
    clientId,
    verifier,
    authorizeUrl,
    ask,
    code,
    tokens: async (headers) => exchange(await code(), {}, headers),
    exchange,
    refresh: (token, fields = {}, headers = {}) =>
      post(
        `${url}/oauth/token`,
        { grant_type: 'refresh_token', client_id: clientId, refresh_token: token, ...fields },
        headers,
      ),
  }
}

/** Posts a form to an endpoint. */
export async function post(
  url: string,
  fields: Readonly<Record<string, string>>,
  headers: Headers = {},
): Promise<TokenAnswer> {
  const response = await fetch(url, { method: 'POST', headers, body: new URLSearchParams(fields) })
  const text = await response.text()
  return {
    status: response.status,
    json: text.startsWith('{') ? (JSON.parse(text) as JsonObject) : {},
    headers: response.headers,
  }
}

/** What a JWT says, unverified. */
export function claimsOf(token: unknown): JsonObject {
  return JSON.parse(Buffer.from(String(token).split('.')[1] ?? '', 'base64url').toString()) as JsonObject
}
