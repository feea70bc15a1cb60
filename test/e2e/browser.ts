import { chromium, type Browser, type CDPSession, type Page } from 'playwright-core'

/** The machine's Chromium (Debian package), without a display. */
export function openBrowser(): Promise<Browser> {
  // Only pages of the server under test are opened, and Chromium's own sandbox cannot be had as root.
  return chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] })
}

/** A page of a browser of its own, with an authenticator that does what it is asked. */
export interface PersonPage {
  readonly page: Page
  readonly authenticator: Authenticator
  /** What the page logged as an error, policy violations among it. */
  readonly errors: string[]
}

/** A virtual authenticator (WebAuthn section 11) with its own storage. */
export interface Authenticator {
  verifiesUser(verifies: boolean): Promise<void>
  count(): Promise<number>
}

/** Opens a page that has no cookies and an authenticator that holds nothing. */
export async function openPage(browser: Browser): Promise<PersonPage> {
  const page = await (await browser.newContext()).newPage()
  const errors: string[] = []
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()))
  page.on('pageerror', (error) => errors.push(error.message))
  const session: CDPSession = await page.context().newCDPSession(page)
  await session.send('WebAuthn.enable')
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
  return {
    page,
    errors,
    authenticator: {
      verifiesUser: async (isUserVerified) =>
        void (await session.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified })),
      count: async () => (await session.send('WebAuthn.getCredentials', { authenticatorId })).credentials.length,
    },
  }
}
