import { createHash, createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto'

const ed25519Algorithm = 0x01

/** A key that signs notes: the name goes into every signature line and into the key's id. */
export interface NoteSigner {
  /** Non-empty, without spaces and plus signs. */
  readonly name: string
  readonly privateKey: KeyObject
  /** The raw 32 bytes. */
  readonly publicKey: Uint8Array
}

/** What a reader must have to believe a note. */
export interface NoteVerifier {
  readonly name: string
  readonly publicKey: Uint8Array
}

/**
 * A C2SP signed note (c2sp.org/signed-note) with an Ed25519 signature of each signer.
 * `text` ends in a newline and holds no empty line at its end.
 */
export function signNote(text: string, ...signers: readonly NoteSigner[]): string {
  const lines = signers.map(({ name, privateKey, publicKey }) => {
    const signature = sign(null, Buffer.from(text), privateKey)
    return `\u2014 ${name} ${Buffer.concat([noteKeyId(name, publicKey), signature]).toString('base64')}\n`
  })
  return `${text}\n${lines.join('')}`
}

/** A note taken apart. Nothing in it is believed. */
export interface NoteParts {
  /** With the newline at its end. */
  readonly text: string
  readonly signatures: readonly {
    readonly name: string
    /** Key id (4 bytes) and signature. */
    readonly bytes: Uint8Array
    /** The whole line, with its end. */
    readonly line: string
  }[]
}

/** Takes a note apart; `null` where it is not one (c2sp.org/signed-note, "format"). */
export function noteParts(note: string): NoteParts | null {
  const cut = note.lastIndexOf('\n\n')
  if (cut < 0 || !note.endsWith('\n')) return null
  const signatures = []
  for (const line of note.slice(cut + 2, -1).split('\n')) {
    const [dash, name, encoded, ...rest] = line.split(' ')
    if (dash !== '\u2014' || name === undefined || encoded === undefined || rest.length > 0) return null
    const bytes = Buffer.from(encoded, 'base64')
    // Base64 has slack bits that the decoder drops; one signature has one spelling here.
    if (bytes.toString('base64') !== encoded || bytes.length < 5) return null
    signatures.push({ name, bytes, line: `${line}\n` })
  }
  return { text: note.slice(0, cut + 1), signatures }
}

/**
 * The text of a note if it bears a good signature by the verifier's key, else `null`.
 * Signatures by other keys are passed over (c2sp.org/signed-note, "verification").
 */
export function openNote(note: string, verifier: NoteVerifier): string | null {
  const parts = noteParts(note)
  if (parts === null) return null
  const id = noteKeyId(verifier.name, verifier.publicKey)
  const key = ed25519PublicKey(verifier.publicKey)
  const isGood = parts.signatures.some(
    ({ name, bytes }) =>
      name === verifier.name &&
      id.equals(bytes.subarray(0, 4)) &&
      verify(null, Buffer.from(parts.text), key, bytes.subarray(4)),
  )
  return isGood ? parts.text : null
}

/** The verifier key line that other tools take: `name+keyid+base64(0x01 || public key)`. */
export function verifierKey(verifier: NoteVerifier): string {
  const key = Buffer.concat([Buffer.from([ed25519Algorithm]), verifier.publicKey]).toString('base64')
  return `${verifier.name}+${noteKeyId(verifier.name, verifier.publicKey).toString('hex')}+${key}`
}

/** Reads a verifier key line; `null` where it is malformed, of another algorithm, or its id is not its own. */
export function parseVerifierKey(line: string): NoteVerifier | null {
  const [name, id, encoded, ...rest] = line.trim().split('+')
  if (name === undefined || name === '' || id === undefined || encoded === undefined) return null
  // Base64 itself may hold plus signs.
  const key = Buffer.from([encoded, ...rest].join('+'), 'base64')
  if (key.length !== 33 || key[0] !== ed25519Algorithm) return null
  const verifier = { name, publicKey: key.subarray(1) }
  return verifierKey(verifier) === line.trim() ? verifier : null
}

/**
 * The log's verifier key lines as those of a tree, for tools that want them by the tree's origin; `null` where one is
 * malformed.
 */
export function treeKeyLine(lines: string, origin: string): string | null {
  const keys = lines.trim().split('\n').map(parseVerifierKey)
  const renamed = keys.flatMap((key) => (key === null ? [] : [verifierKey({ name: origin, publicKey: key.publicKey })]))
  return renamed.length === keys.length ? renamed.join('\n') : null
}

/** An Ed25519 public key from its raw 32 bytes (RFC 8032). @throws where node refuses the key. */
function ed25519PublicKey(raw: Uint8Array): KeyObject {
  return createPublicKey({
    format: 'jwk',
    key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(raw).toString('base64url') },
  })
}

/** A signer from the PKCS 8 bytes of an Ed25519 private key. @throws where node refuses the key. */
export function ed25519Signer(pkcs8: Uint8Array): Omit<NoteSigner, 'name'> {
  const privateKey = createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' })
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' })
  return { privateKey, publicKey: Buffer.from(x ?? '', 'base64url') }
}

/** First four bytes of SHA-256 over name, newline, algorithm and key (c2sp.org/signed-note, "signatures"). */
function noteKeyId(name: string, publicKey: Uint8Array): Buffer {
  const digest = createHash('sha256')
    .update(`${name}\n`)
    .update(Buffer.from([ed25519Algorithm]))
    .update(publicKey)
    .digest()
  return digest.subarray(0, 4)
}
