/** Cookies per origin, as a browser keeps them. */
type Cookies = Map<string, Map<string, string>>

/**
 * Goes where a person's browser would: follows redirects with cookies, signs in and agrees wherever a form asks for it,
 * and stops at the first address that begins with `stopAt`, which it answers without going there.
 */
export async function goAndConsent(from: string, stopAt: string): Promise<URL> {
  const cookies: Cookies = new Map()
  let next: { url: string; form?: URLSearchParams } = { url: from }
  for (let step = 0; step < 20; step += 1) {
    if (next.url.startsWith(stopAt)) return new URL(next.url)
    const { url, form } = next
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { cookie: cookieHeader(cookies, url), accept: 'text/html' },
      ...(form === undefined ? {} : { method: 'POST', body: form }),
    })
    keep(cookies, url, response.headers.getSetCookie())
    const location = response.headers.get('location')
    if (location !== null) next = { url: new URL(location, url).href }
    else next = fillForm(await response.text(), url, response.status)
  }
  throw new Error('the browser was sent around in circles')
}

function fillForm(page: string, url: string, status: number): { url: string; form: URLSearchParams } {
  const action = /<form[^>]*action="([^"]+)"/.exec(page)?.[1]
  if (action === undefined) throw new Error(`no form at ${url} (${status}): ${page.slice(0, 2000)}`)
  const form = new URLSearchParams()
  for (const [tag] of page.matchAll(/<input[^>]*>/g)) {
    const name = /name="([^"]+)"/.exec(tag)?.[1]
    if (name !== undefined) form.set(name, /value="([^"]*)"/.exec(tag)?.[1] ?? 'anna')
  }
  return { url: new URL(action, url).href, form }
}

function cookieHeader(cookies: Cookies, url: string): string {
  return [...(cookies.get(new URL(url).origin) ?? [])].map(([name, value]) => `${name}=${value}`).join('; ')
}

function keep(cookies: Cookies, url: string, set: readonly string[]): void {
  const { origin } = new URL(url)
  const own = cookies.get(origin) ?? new Map<string, string>()
  cookies.set(origin, own)
  for (const line of set) {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
    own.set(name, value)
  }
}
