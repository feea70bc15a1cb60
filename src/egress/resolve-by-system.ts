import { lookup } from 'node:dns/promises'
import type { ResolvedAddress } from './check-target.ts'

/** Every address that the system knows for a name. */
export async function resolveBySystem(hostname: string): Promise<readonly ResolvedAddress[]> {
  const found = await lookup(hostname, { all: true, order: 'verbatim' })
  return found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }))
}
