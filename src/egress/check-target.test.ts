import { describe, expect, it } from 'vitest'
import { publicAddressesOnly } from './address-rules.ts'
import { checkTarget, type ResolvedAddress } from './check-target.ts'

const answering =
  (...addresses: readonly string[]) =>
  async (): Promise<readonly ResolvedAddress[]> =>
    addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
const check = (url: string, ...addresses: readonly string[]) =>
  checkTarget(url, publicAddressesOnly, answering(...addresses))

describe('the target of a request', () => {
  it('is a public https address, asked for once', async () => {
    expect(await check('https://issuer.example/keys?x=1', '1.1.1.1', '2606:4700::1111')).toMatchObject({
      ok: true,
      addresses: [{ address: '1.1.1.1' }, { address: '2606:4700::1111' }],
    })
  })

  it.each([
    'http://issuer.example/',
    'ftp://issuer.example/',
    'file:///etc/passwd',
    'data:,alert(1)',
    'https:issuer.example',
    'https:///issuer.example',
    'https://',
    'https://user@issuer.example/',
    'https://user:password@issuer.example/',
    'https://issuer.example/#fragment',
    'https://issuer.example\\@evil.example/',
    'https://issuer.example/\n',
    'https://issuer.example/a b',
    'https://issüer.example/',
    'https://issuer.example:0/',
    'https://issuer.example:99999/',
    'https://[::1%25eth0]/',
    `https://issuer.example/${'a'.repeat(5000)}`,
    '',
  ])('is never %j', async (url) => {
    expect(await check(url, '1.1.1.1')).toEqual({ ok: false, reason: 'url-refused' })
  })

  it.each([
    'https://127.0.0.1/',
    'https://2130706433/',
    'https://0x7f000001/',
    'https://0177.0.0.1/',
    'https://127.1/',
    'https://0/',
    'https://[::1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[64:ff9b::7f00:1]/',
    'https://169.254.169.254/latest/meta-data/',
  ])('is refused as the address that %s means', async (url) => {
    expect(await check(url, '1.1.1.1')).toEqual({ ok: false, reason: 'address-refused' })
  })

  it('is refused where any of its addresses is', async () => {
    expect(await check('https://issuer.example/', '1.1.1.1', '10.0.0.1')).toEqual({
      ok: false,
      reason: 'address-refused',
    })
  })

  it('is unresolvable without an address, with an absurd number of them, and where the resolver fails', async () => {
    const unresolvable = { ok: false, reason: 'unresolvable' }
    expect(await check('https://issuer.example/')).toEqual(unresolvable)
    expect(await check('https://issuer.example/', ...Array.from({ length: 33 }, () => '1.1.1.1'))).toEqual(unresolvable)
    const failing = () => Promise.reject(new Error('SERVFAIL'))
    expect(await checkTarget('https://issuer.example/', publicAddressesOnly, failing)).toEqual(unresolvable)
  })

  it('is plain http on a listed loopback address only, also by name', async () => {
    const rules = { networks: ['127.0.0.0/8', '10.0.0.0/8'] }
    expect(await checkTarget('http://127.0.0.1:8080/', rules, answering())).toMatchObject({ ok: true })
    expect(await checkTarget('http://localhost:8080/', rules, answering('127.0.0.1'))).toMatchObject({ ok: true })
    const refused = { ok: false, reason: 'url-refused' }
    expect(await checkTarget('http://inside.example/', rules, answering('10.0.0.1'))).toEqual(refused)
    expect(await checkTarget('http://outside.example/', rules, answering('127.0.0.1', '1.1.1.1'))).toEqual(refused)
  })
})
