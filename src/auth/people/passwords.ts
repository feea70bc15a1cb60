import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { McpworksError } from '../../kernel/index.ts'

/** Hashing of passwords with argon2id (RFC 9106), off the event loop. */
export interface Passwords {
  /** PHC string. @throws McpworksError `overloaded` */
  hash(password: string): Promise<string>
  /**
   * Whether the password belongs to the hash; with `null`, false after the same work, so that time does not tell who has
   * a password. @throws McpworksError `overloaded`
   */
  verify(password: string, hash: string | null): Promise<boolean>
}

/** Parameters of the OWASP password storage cheat sheet: 19 MiB, 2 passes, 1 lane. */
const parameters = { memory: 19_456, passes: 2, parallelism: 1, tagLength: 32 } as const

const phcPattern = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,2})\$([A-Za-z0-9+/]{22})\$([A-Za-z0-9+/]{43})$/

/** Hashes made at once; more would take libuv's threads from everything else. */
const atOnce = 2
/** Hashes that wait; whoever comes later is told to come back. */
const maxWaiting = 64

/** Makes it. Each instance counts its own work. */
export function createPasswords(): Passwords {
  let running = 0
  const waiting: (() => void)[] = []

  async function limited<Result>(work: () => Promise<Result>): Promise<Result> {
    if (running >= atOnce) {
      if (waiting.length >= maxWaiting) throw new McpworksError('overloaded')
      await new Promise<void>((resolve) => waiting.push(resolve))
    } else running += 1
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next === undefined) running -= 1
      else next()
    }
  }

  return {
    hash: (password) =>
      limited(async () => {
        const salt = randomBytes(16)
        const { memory, passes, parallelism } = parameters
        const key = await derive(password, salt, parameters)
        return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${plain(salt)}$${plain(key)}`
      }),
    verify: (password, hash) =>
      limited(async () => {
        const match = phcPattern.exec(hash ?? '')
        const [, memory, passes, parallelism, salt, stored] = match ?? []
        const key = await derive(password, Buffer.from(salt ?? 'A'.repeat(22), 'base64'), {
          memory: Number(memory ?? parameters.memory),
          passes: Number(passes ?? parameters.passes),
          parallelism: Number(parallelism ?? parameters.parallelism),
          tagLength: parameters.tagLength,
        })
        const same = timingSafeEqual(key, Buffer.from(stored ?? 'A'.repeat(43), 'base64'))
        return match !== null && same
      }),
  }
}

/** Two ways to type one text are one password (RFC 8265 section 4.2.2 asks for NFC). */
function derive(
  password: string,
  nonce: Uint8Array,
  cost: Omit<typeof parameters, 'memory' | 'passes' | 'parallelism'> & {
    memory: number
    passes: number
    parallelism: number
  },
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    argon2('argon2id', { message: Buffer.from(password.normalize('NFC')), nonce, ...cost }, (error, key) =>
      error === null ? resolve(key) : reject(error),
    )
  })
}

function plain(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replace(/=+$/, '')
}
