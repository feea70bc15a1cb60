import { expect, it } from 'vitest'
import { publicAddressesOnly } from '../../egress/index.ts'
import { createClientDocuments } from './client-document.ts'

it('takes no document of a refused host that is written with a dot at its end', async () => {
  const asked: string[] = []
  const find = createClientDocuments({
    fetch: async (url) => {
      asked.push(url)
      const document = { client_id: url, redirect_uris: ['https://app.example/callback'] }
      return { ok: true, status: 200, headers: {}, body: Buffer.from(JSON.stringify(document)) }
    },
    clock: { nowMs: () => 0, monotonicMs: () => 0 },
    addresses: publicAddressesOnly,
    isHostTaken: (host) => host !== 'refused.example',
    grantTypes: [],
  })
  expect(await find('https://refused.example/c')).toBeNull()
  expect(await find('https://refused.example./c')).toBeNull()
  expect(asked).toEqual([])
  expect(await find('https://good.example/c')).toMatchObject({ host: 'good.example' })
})
