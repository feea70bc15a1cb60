import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mcpworks, startServerProcess, type ServerProcess } from '../support/server-process.ts'
import { openBrowser, openPage, type PersonPage } from './browser.ts'

let server: ServerProcess
let browser: Browser
let anna: PersonPage
let firstLink: string
const dataDirectory = mkdtempSync(join(tmpdir(), 'mcpworks-e2e-'))
beforeAll(async () => {
  server = await startServerProcess(dataDirectory, ['--no-demo'])
  firstLink = String(server.started.firstOwnerLink)
  browser = await openBrowser()
  anna = await openPage(browser)
})
afterAll(async () => {
  await browser.close()
  await server.stop('SIGTERM')
  rmSync(dataDirectory, { recursive: true, force: true })
})

const command = async (...args: string[]): Promise<string> => {
  const result = await mcpworks(['--data-directory', dataDirectory, ...args])
  if (result.code !== 0) throw new Error(result.stderr)
  return result.stdout.trim()
}

describe('the first owner', () => {
  it('opens the printed link at the address that the server listens on and makes a passkey', async () => {
    const { page } = anna
    await page.goto(firstLink.replace('//localhost:', '//127.0.0.1:'))
    expect(new URL(page.url()).hostname).toBe('localhost')
    expect(page.url()).not.toContain(firstLink.split('/').at(-1))
    await page.locator('#passkey-name').fill('anna')
    await page.locator('#label').fill('laptop')
    await page.getByRole('button', { name: 'Make a passkey' }).click()
    await page.waitForURL('**/account')
    expect(await page.locator('h1').textContent()).toBe('anna')
    expect(await page.getByText('owner', { exact: true }).count()).toBe(1)
    expect(await anna.authenticator.count()).toBe(1)
  })

  it('signs out, and in again with the passkey', async () => {
    const { page } = anna
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.waitForURL('**/sign-in')
    await page.goto(`${server.url}/account`)
    await page.waitForURL('**/sign-in?return=%2Faccount')
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
    await page.waitForURL('**/account')
    expect(await page.getByText('last used').count()).toBe(1)
  })

  it('is told that the link is used up, and so is anybody else', async () => {
    const { page } = await openPage(browser)
    const answer = await page.goto(firstLink)
    expect(answer?.status()).toBe(401)
    expect(await page.getByText('This link is not good any more').count()).toBe(1)
    await page.context().close()
  })

  it('is not let in by an authenticator that did not verify who uses it', async () => {
    const { page, authenticator } = anna
    await page.getByRole('button', { name: 'Sign out' }).click()
    await authenticator.verifiesUser(false)
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
    await expect.poll(() => page.getByRole('alert').textContent()).not.toBe('')
    expect(new URL(page.url()).pathname).toBe('/sign-in')
    await authenticator.verifiesUser(true)
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
    await page.waitForURL('**/account')
  })

  it('keeps the last thing to sign in with, and adds a password to it', async () => {
    const { page } = anna
    await page.getByRole('button', { name: 'Remove passkey laptop' }).click()
    expect(await page.getByRole('alert').textContent()).toContain('the last thing you can sign in with')
    await page.locator('#password').fill('three wet otters sing')
    await page.locator('#repeat').fill('three wet otters sing')
    await page.getByRole('button', { name: 'Set a password' }).click()
    await page.waitForURL('**/account')
    await page.getByRole('button', { name: 'Remove passkey laptop' }).click()
    await page.waitForURL('**/account')
    expect(await page.getByText('passkey, made').count()).toBe(0)
  })

  it('signs in with the password, without any script', async () => {
    const context = await browser.newContext({ javaScriptEnabled: false })
    const page = await context.newPage()
    await page.goto(String(server.started.signIn))
    await page.locator('#name').fill('anna')
    await page.locator('#password').fill('three wet otters sung')
    await page.getByRole('button', { name: 'Sign in with a password' }).click()
    expect(await page.getByRole('alert').textContent()).toContain('That did not work')
    await page.locator('#name').fill('anna')
    await page.locator('#password').fill('three wet otters sing')
    await page.getByRole('button', { name: 'Sign in with a password' }).click()
    await page.waitForURL('**/account')
    await context.close()
  })
})

describe('another user', () => {
  it('gets in by a link of the command line, with a passkey of their own', async () => {
    const link = await command('user', 'add', 'bert', '--role', 'viewer')
    const { page } = await openPage(browser)
    await page.goto(link)
    expect(await page.locator('h1').textContent()).toBe('Welcome, bert')
    await page.getByRole('button', { name: 'Make a passkey' }).click()
    await page.waitForURL('**/account')
    expect(await command('user', 'list')).toMatch(/bert +viewer +passkeys \(1\)/)
    await command('user', 'disable', 'bert')
    await page.reload()
    expect(new URL(page.url()).pathname).toBe('/sign-in')
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
    await expect.poll(() => page.getByRole('alert').textContent()).toContain('not good here')
    await page.context().close()
  })
})

describe('the pages', () => {
  it('ask for nothing from elsewhere and break none of their own rules', () => {
    // A refused sign-in is logged by the browser as a failed request, and is meant.
    expect(anna.errors.filter((error) => !error.includes('the server responded with a status of 4'))).toEqual([])
  })

  it('are shown in no frame, not even one of the same origin, where other answers are', async () => {
    const { page } = await openPage(browser)
    const { origin } = new URL(String(server.started.signIn))
    const frames = '<iframe name="shown" src="/healthz"></iframe><iframe name="refused" src="/sign-in"></iframe>'
    await page.route(`${origin}/frames`, (route) => route.fulfill({ contentType: 'text/html', body: frames }))
    await page.goto(`${origin}/frames`)
    await expect.poll(() => page.frame('shown')?.locator('body').textContent()).toContain('"ok":true')
    await expect.poll(() => page.frame('refused')?.url()).toContain('chrome-error:')
    await page.context().close()
  })
})
