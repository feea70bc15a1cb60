import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'

/** A certificate with its key, as TLS servers and clients take them. */
export interface IssuedCertificate {
  /** PEM. */
  readonly certificate: string
  /** PEM, PKCS#8. */
  readonly key: string
  /** SHA-256 of the DER form in base64url: `x5t#S256` of RFC 8705 section 3.1. */
  readonly thumbprint: string
}

/** A certificate authority of the test: Node makes keys but no certificates. */
export interface CertificateAuthority {
  /** PEM. */
  readonly certificate: string
  /** A certificate for DNS names or IPv4 addresses, good for a day either side of now. */
  issue(names: readonly string[]): IssuedCertificate
}

const bytes = (tag: number, ...contents: readonly Uint8Array[]): Buffer => {
  const content = Buffer.concat(contents)
  const { length } = content
  const head =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, Math.floor(length / 0x100), length % 0x100]
  return Buffer.concat([Buffer.from([tag, ...head]), content])
}
const sequence = (...items: readonly Uint8Array[]): Buffer => bytes(0x30, ...items)
const octets = (content: Uint8Array): Buffer => bytes(0x04, content)
const bits = (content: Uint8Array): Buffer => bytes(0x03, Buffer.from([0]), content)
const oid = (hex: string): Buffer => bytes(0x06, Buffer.from(hex, 'hex'))
const positive = (content: Buffer): Buffer => bytes(0x02, Buffer.from([0x01]), content)
const truth = bytes(0x01, Buffer.from([0xff]))

const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'))
const nameOf = (commonName: string): Buffer =>
  sequence(bytes(0x31, sequence(oid('550403'), bytes(0x0c, Buffer.from(commonName)))))
const timeOf = (ms: number): Buffer =>
  bytes(0x18, Buffer.from(`${new Date(ms).toISOString().replaceAll(/[-:T]/g, '').slice(0, 14)}Z`))

/** Makes an authority with a P-256 key of its own. */
export function createCertificateAuthority(): CertificateAuthority {
  const own = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const issuer = nameOf('Test authority')

  function certify(subject: Buffer, publicKey: KeyObject, extensions: readonly Buffer[]): Buffer {
    const day = 86_400_000
    const body = sequence(
      bytes(0xa0, bytes(0x02, Buffer.from([2]))),
      positive(randomBytes(8)),
      ecdsaWithSha256,
      issuer,
      sequence(timeOf(Date.now() - day), timeOf(Date.now() + day)),
      subject,
      publicKey.export({ type: 'spki', format: 'der' }),
      bytes(0xa3, sequence(...extensions)),
    )
    return sequence(body, ecdsaWithSha256, bits(sign('sha256', body, own.privateKey)))
  }

  const isAuthority = sequence(oid('551d13'), truth, octets(sequence(truth)))
  return {
    certificate: pem(certify(issuer, own.publicKey, [isAuthority])),
    issue(names) {
      const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const alternatives = names.map((name) =>
        /^[0-9.]+$/.test(name) ? bytes(0x87, Buffer.from(name.split('.').map(Number))) : bytes(0x82, Buffer.from(name)),
      )
      const extension = sequence(oid('551d11'), octets(sequence(...alternatives)))
      const der = certify(nameOf(names[0] ?? ''), pair.publicKey, [extension])
      return {
        certificate: pem(der),
        key: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
        thumbprint: createHash('sha256').update(der).digest('base64url'),
      }
    },
  }
}

function pem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}
