import { request as send } from 'node:http'

/** An answer as a browser gets it, with redirects not followed. */
export interface BrowserAnswer {
  readonly url: string
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  readonly location: string | null
}

/** A browser with cookies by host and path, that follows redirects within this machine's server and no further. */
export interface OauthBrowser {
  /** Goes to a page and follows redirects until one leaves for another port or scheme, or there is a page. */
  open(url: string): Promise<BrowserAnswer>
  /** Sends the form of the consent page with these fields over what the page holds. */
  submit(page: BrowserAnswer, fields: Readonly<Record<string, string>>): Promise<BrowserAnswer>
  /** One request and no more. */
  send(url: string, options?: BrowserRequest): Promise<BrowserAnswer>
  cookies(): string[]
}

/** What a test may change of a request. */
export interface BrowserRequest {
  readonly form?: URLSearchParams
  readonly headers?: Readonly<Record<string, string>>
  readonly withoutCookies?: boolean
}

interface Cookie {
  readonly name: string
  readonly value: string
  readonly host: string
  readonly path: string
}

/** Starts a browser that holds these cookies (`name=value`) for `localhost`. */
export function createOauthBrowser(held: readonly string[] = []): OauthBrowser {
  const jar = new Map<string, Cookie>()
  for (const text of held) {
    const [name = '', value = ''] = text.split('=')
    jar.set(`${name} /`, { name, value, host: 'localhost', path: '/' })
  }

  function keep(host: string, lines: readonly string[]): void {
    for (const line of lines) {
      const [pair = '', ...attributes] = line.split(';').map((part) => part.trim())
      const name = pair.slice(0, pair.indexOf('='))
      const value = pair.slice(pair.indexOf('=') + 1)
      const path = attributes.find((text) => /^path=/i.test(text))?.slice(5) ?? '/'
      const expires = attributes.find((text) => /^expires=/i.test(text))?.slice(8)
      const key = `${name} ${path}`
      if (value === '' || (expires !== undefined && Date.parse(expires) < Date.now())) jar.delete(key)
      else jar.set(key, { name, value, host, path })
    }
  }

  function cookieHeader({ hostname, pathname }: URL): string {
    const fitting = [...jar.values()].filter(
      ({ host, path }) => host === hostname && (pathname === path || pathname.startsWith(path.replace(/\/?$/, '/'))),
    )
    return fitting.map(({ name, value }) => `${name}=${value}`).join('; ')
  }

  function sendOnce(target: string, options: BrowserRequest = {}): Promise<BrowserAnswer> {
    const url = new URL(target)
    const body = options.form?.toString()
    const cookie = options.withoutCookies === true ? '' : cookieHeader(url)
    const headers = {
      host: url.host,
      accept: 'text/html',
      ...(cookie === '' ? {} : { cookie }),
      ...(body === undefined
        ? {}
        : {
            'content-type': 'application/x-www-form-urlencoded',
            'content-length': String(Buffer.byteLength(body)),
            origin: url.origin,
          }),
      ...options.headers,
    }
    return new Promise((resolve, reject) => {
      const outgoing = send(
        {
          host: '127.0.0.1',
          port: url.port,
          method: body === undefined ? 'GET' : 'POST',
          path: `${url.pathname}${url.search}`,
          headers,
          agent: false,
        },
        (answer) => {
          const chunks: Buffer[] = []
          answer.on('data', (chunk: Buffer) => chunks.push(chunk))
          answer.on('error', reject)
          answer.on('end', () => {
            keep(url.hostname, answer.headers['set-cookie'] ?? [])
            const { location } = answer.headers
            resolve({
              url: target,
              status: answer.statusCode ?? 0,
              headers: answer.headers,
              text: Buffer.concat(chunks).toString('utf8'),
              location: location === undefined ? null : resolveLocation(location, target),
            })
          })
        },
      )
      outgoing.on('error', reject)
      outgoing.end(body)
    })
  }

  async function follow(first: Promise<BrowserAnswer>): Promise<BrowserAnswer> {
    let answer = await first
    const { port } = new URL(answer.url)
    for (let step = 0; step < 10 && answer.location !== null; step += 1) {
      const next = new URL(answer.location)
      if (next.port !== port || !['localhost', '127.0.0.1'].includes(next.hostname)) return answer
      answer = await sendOnce(answer.location)
    }
    return answer
  }

  return {
    open: (url) => follow(sendOnce(url)),
    submit: (page, fields) => follow(sendOnce(page.url, { form: formOf(page, fields) })),
    send: sendOnce,
    cookies: () => [...jar.values()].map(({ name, value, path }) => `${name}=${value}; ${path}`),
  }
}

/** The fields that the page's form holds, with others laid over. */
export function formOf(page: BrowserAnswer, fields: Readonly<Record<string, string>>): URLSearchParams {
  const form = new URLSearchParams()
  for (const [tag] of page.text.matchAll(/<input[^>]*>/g)) {
    const name = /name="([^"]+)"/.exec(tag)?.[1]
    const isChosen = !tag.includes('type="radio"') || tag.includes(' checked')
    if (name !== undefined && isChosen) form.set(name, /value="([^"]*)"/.exec(tag)?.[1] ?? '')
  }
  const days = /<option value="(\d+)" selected/.exec(page.text)?.[1]
  if (days !== undefined) form.set('days', days)
  for (const [name, value] of Object.entries(fields)) form.set(name, value)
  return form
}

function resolveLocation(location: string, from: string): string {
  return new URL(location, from).href
}
