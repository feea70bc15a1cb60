import type { Config } from '../config/index.ts'

/** The master key that the configuration gives, 32 bytes; `null` where it lies in the data directory. */
export function masterKeyOf({
  storage,
}: {
  readonly storage: Pick<Config['storage'], 'masterKey'>
}): Uint8Array | null {
  return storage.masterKey === null ? null : Buffer.from(storage.masterKey, 'base64url')
}
