import { sendRaw, type RawAnswer } from './http-harness.ts'

/** A browser in as much as our pages need one: keeps cookies, sends them where they belong, follows nothing. */
export class PersonBrowser {
  readonly host: string
  readonly cookies = new Map<string, string>()
  readonly #port: number

  constructor(port: number) {
    this.#port = port
    this.host = `localhost:${port}`
  }

  get origin(): string {
    return `http://${this.host}`
  }

  get(path: string, headers: readonly string[] = []): Promise<RawAnswer> {
    return this.#send('GET', path, headers)
  }

  /** A form of a page of ours, unless other headers say otherwise. */
  post(path: string, fields: Record<string, string>, headers?: readonly string[]): Promise<RawAnswer> {
    const body = new URLSearchParams(fields).toString()
    return this.#send(
      'POST',
      path,
      ['Content-Type', 'application/x-www-form-urlencoded', ...(headers ?? ['Origin', this.origin])],
      body,
    )
  }

  json(path: string, csrf: string, value: unknown): Promise<RawAnswer> {
    const headers = ['Content-Type', 'application/json', 'Origin', this.origin, 'X-MCPWorks-CSRF', csrf]
    return this.#send('POST', path, headers, JSON.stringify(value))
  }

  /** Loads a page and gives the token against forged requests of its first form. */
  async csrf(path: string): Promise<string> {
    const { text } = await this.get(path)
    const token = /name="csrf"\s+value="([^"]+)"/.exec(text)?.[1]
    if (token === undefined) throw new Error(`no form at ${path}: ${text}`)
    return token
  }

  isSignedIn(): Promise<boolean> {
    return this.get('/account').then(({ status }) => status === 200)
  }

  async #send(method: string, path: string, headers: readonly string[], body?: string): Promise<RawAnswer> {
    const jar = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await sendRaw(this.#port, {
      method,
      path,
      headers: ['Host', this.host, ...(jar === '' ? [] : ['Cookie', jar]), ...headers],
      ...(body === undefined ? {} : { body }),
    })
    for (const cookie of answer.headers['set-cookie'] ?? []) {
      const [name = '', value = ''] = cookie.split(';', 1)[0]?.split('=') ?? []
      if (/Max-Age=0/.test(cookie)) this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
    return answer
  }
}
