import { expect, it } from 'vitest'
import { awaitedReaders } from './awaited-readers.ts'

const exporters = {
  receivers: [
    { name: 'archive', namespaces: [] },
    { name: 'only-demo', namespaces: ['demo'] },
    { name: 'brand-new', namespaces: [] },
  ],
}
const kept = new Map([
  ['export archive', 'r1'],
  ['export only-demo', ''],
  ['notify desk', 'r2'],
  ['export no-longer-configured', 'r0'],
])
const readers = awaitedReaders({ find: async (reader) => kept.get(reader) ?? null }, exporters, {
  channels: [{ name: 'desk' }],
})

it('are the receivers and channels of the configuration that have a position, and nobody else', async () => {
  expect(await readers('demo')).toEqual([
    { name: 'export archive', position: 'r1' },
    { name: 'export only-demo', position: '' },
    { name: 'notify desk', position: 'r2' },
  ])
})

it('are not those that are sent other namespaces only', async () => {
  expect((await readers('other')).map(({ name }) => name)).toEqual(['export archive', 'notify desk'])
})
