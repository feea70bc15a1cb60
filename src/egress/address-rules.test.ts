import { describe, expect, it } from 'vitest'
import { isNetwork, judgeAddress, publicAddressesOnly } from './address-rules.ts'

describe('addresses', () => {
  it.each(['1.1.1.1', '93.184.215.14', '2606:4700::1111', '2a00:1450:4001::200e'])('%s is public', (address) => {
    expect(judgeAddress(address, publicAddressesOnly)).toEqual({ ok: true, loopback: false })
  })

  it.each([
    ['unspecified', '0.0.0.0'],
    ['this network', '0.1.2.3'],
    ['loopback', '127.0.0.1'],
    ['all of loopback', '127.255.255.254'],
    ['private', '10.0.0.1'],
    ['private', '172.16.0.1'],
    ['private', '192.168.1.1'],
    ['shared', '100.64.0.1'],
    ['metadata of Alibaba', '100.100.100.200'],
    ['link-local, metadata of most clouds', '169.254.169.254'],
    ['protocol assignments, metadata of Oracle', '192.0.0.192'],
    ['documentation', '192.0.2.1'],
    ['6to4 relay', '192.88.99.1'],
    ['benchmarking', '198.18.0.1'],
    ['multicast', '224.0.0.1'],
    ['reserved', '240.0.0.1'],
    ['broadcast', '255.255.255.255'],
    ['metadata of Azure', '168.63.129.16'],
    ['unspecified', '::'],
    ['loopback', '::1'],
    ['IPv4-compatible', '::127.0.0.1'],
    ['IPv4-compatible public', '::1.1.1.1'],
    ['IPv4-mapped', '::ffff:127.0.0.1'],
    ['IPv4-mapped public', '::ffff:1.1.1.1'],
    ['IPv4-translated', '::ffff:0:127.0.0.1'],
    ['NAT64', '64:ff9b::7f00:1'],
    ['NAT64 public', '64:ff9b::101:101'],
    ['local NAT64', '64:ff9b:1::a00:1'],
    ['6to4', '2002:7f00:1::'],
    ['Teredo', '2001:0:4136:e378:8000:63bf:3fff:fdd2'],
    ['ORCHIDv2', '2001:20::1'],
    ['documentation', '2001:db8::1'],
    ['documentation', '3fff::1'],
    ['unique local, metadata of AWS', 'fd00:ec2::254'],
    ['link-local', 'fe80::1'],
    ['link-local with a zone', 'fe80::1%eth0'],
    ['site-local', 'fec0::1'],
    ['multicast', 'ff02::1'],
    ['discard', '100::1'],
    ['segment routing', '5f00::1'],
    ['not assigned', '4000::1'],
    ['no address', 'localhost'],
    ['nothing', ''],
  ])('%s %s is refused', (_, address) => {
    expect(judgeAddress(address, publicAddressesOnly)).toEqual({ ok: false })
  })

  it('are reached in listed networks only, and not by a form that embeds one of these', () => {
    const rules = { networks: ['10.1.0.0/16', '127.0.0.1/32', 'fd00:1::/32'] }
    expect(judgeAddress('10.1.2.3', rules)).toEqual({ ok: true, loopback: false })
    expect(judgeAddress('127.0.0.1', rules)).toEqual({ ok: true, loopback: true })
    expect(judgeAddress('fd00:1::5', rules)).toEqual({ ok: true, loopback: false })
    for (const address of ['10.2.0.1', '127.0.0.2', '::1', '::ffff:10.1.2.3', '64:ff9b::a01:203', 'fd00:2::5'])
      expect([address, judgeAddress(address, rules)]).toEqual([address, { ok: false }])
  })
})

describe('networks', () => {
  it.each(['10.0.0.0/8', '127.0.0.1/32', '::1/128', 'fd00::/8', '0.0.0.0/0'])('can be %s', (text) => {
    expect(isNetwork(text)).toBe(true)
  })

  it.each(['10.0.0.0', '10.0.0.1/8', '10/8', '0x7f.1/8', '10.0.0.0/33', 'fd00::1/8', 'localhost/8', '', '*'])(
    'cannot be %j',
    (text) => {
      expect(isNetwork(text)).toBe(false)
    },
  )
})
