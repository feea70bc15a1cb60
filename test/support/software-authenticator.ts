import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'

/** What a test lets the authenticator or the browser around it do wrong. */
export interface CeremonyWishes {
  readonly origin?: string
  readonly rpId?: string
  readonly challenge?: string
  readonly type?: string
  /** Flags of authenticator data (WebAuthn section 6.1): user present 1, user verified 4. */
  readonly flags?: number
  readonly counter?: number
}

interface Options {
  readonly challenge: string
  readonly rp?: { readonly id: string }
  readonly rpId?: string
}

/** An authenticator and the browser around it in software: one ES256 passkey, and every field as the test wishes. */
export class SoftwareAuthenticator {
  readonly id = randomBytes(16)
  counter = 1
  readonly #keys: { publicKey: KeyObject; privateKey: KeyObject } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  readonly #origin: string

  constructor(origin: string) {
    this.#origin = origin
  }

  /** `navigator.credentials.create`, without attestation. */
  create(options: Options, wishes: CeremonyWishes = {}) {
    const { x = '', y = '' } = this.#keys.publicKey.export({ format: 'jwk' })
    const [xBytes, yBytes] = [Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]
    // {1: 2, 3: -7, -1: 1, -2: x, -3: y} in CBOR (RFC 9053 section 7.1).
    const coseKey = Buffer.concat([
      Buffer.from([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]),
      xBytes,
      Buffer.from([0x22, 0x58, 0x20]),
      yBytes,
    ])
    const attested = Buffer.concat([Buffer.alloc(16), Buffer.from([0, this.id.length]), this.id, coseKey])
    const data = this.#data({ flags: 0x45, ...wishes }, options.rp?.id ?? '', attested)
    // {"fmt": "none", "attStmt": {}, "authData": data}
    const object = Buffer.concat([
      Buffer.from([0xa3, 0x63]),
      Buffer.from('fmt'),
      Buffer.from([0x64]),
      Buffer.from('none'),
      Buffer.from([0x67]),
      Buffer.from('attStmt'),
      Buffer.from([0xa0, 0x68]),
      Buffer.from('authData'),
      Buffer.from([0x59, data.length >> 8, data.length & 0xff]),
      data,
    ])
    return this.#credential({
      clientDataJSON: this.#client('webauthn.create', options, wishes).toString('base64url'),
      attestationObject: object.toString('base64url'),
      transports: ['internal'],
    })
  }

  /** `navigator.credentials.get`. */
  get(options: Options, wishes: CeremonyWishes = {}) {
    this.counter += 1
    const data = this.#data({ flags: 0x05, counter: this.counter, ...wishes }, options.rpId ?? '', Buffer.alloc(0))
    const client = this.#client('webauthn.get', options, wishes)
    const signed = Buffer.concat([data, createHash('sha256').update(client).digest()])
    return this.#credential({
      clientDataJSON: client.toString('base64url'),
      authenticatorData: data.toString('base64url'),
      signature: sign('sha256', signed, this.#keys.privateKey).toString('base64url'),
    })
  }

  #credential(response: object) {
    const id = this.id.toString('base64url')
    return { id, rawId: id, type: 'public-key', response }
  }

  #client(type: string, { challenge }: Options, wishes: CeremonyWishes): Buffer {
    const data = {
      type: wishes.type ?? type,
      challenge: wishes.challenge ?? challenge,
      origin: wishes.origin ?? this.#origin,
      crossOrigin: false,
    }
    return Buffer.from(JSON.stringify(data))
  }

  #data({ rpId, flags = 0, counter = this.counter }: CeremonyWishes, asked: string, attested: Buffer): Buffer {
    const count = Buffer.alloc(4)
    count.writeUInt32BE(counter)
    const hash = createHash('sha256')
      .update(rpId ?? asked)
      .digest()
    return Buffer.concat([hash, Buffer.from([flags]), count, attested])
  }
}
