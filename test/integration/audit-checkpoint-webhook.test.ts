import { createHash, createHmac } from 'node:crypto'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createGuardedFetch } from '../../src/egress/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { openPublishing, publishingConfigSchema, type PartState, type Publishing } from '../../src/publishing/index.ts'
import { createCertificateAuthority } from '../support/certificate-authority.ts'
import { MemoryTrees } from '../support/memory-trees.ts'
import { httpReceiver, type Receiver, type Sent } from '../support/receivers.ts'

const authority = createCertificateAuthority()
const secret = `whsec_${Buffer.from('a canary of at least twenty-four bytes').toString('base64')}`

/** A receiver over HTTPS on loopback, as `localhost`, that answers what it is told to. */
async function receiver(answer: () => number | null, names = ['localhost']): Promise<Receiver<Sent>> {
  const { certificate, key } = authority.issue(names)
  const made = await httpReceiver(answer, { cert: certificate, key })
  onTestFinished(() => made.kill())
  return made
}

/** Publishing to a webhook alone, which looks when it is told to. */
function publish(trees: MemoryTrees, port: number, positions = new Map<string, string>()) {
  const changes: PartState[] = []
  const publishing: Publishing = openPublishing({
    config: publishingConfigSchema.parse({
      everySeconds: 86_400,
      networks: ['127.0.0.0/8', '::1/128'],
      checkpoints: { webhook: { url: `https://localhost:${port}/checkpoints`, secret } },
    }),
    reader: trees,
    positions: {
      find: async (name) => positions.get(name) ?? null,
      keep: async (name, at) => void positions.set(name, at),
    },
    cosignatures: { add: async () => {}, list: async () => [] },
    fetch: createGuardedFetch({ certificateAuthorities: [authority.certificate] }),
    clock: systemClock,
    pausesMs: { first: 0, longest: 0 },
    alarm: async () => {},
    onChange: (state) => changes.push(state),
    onFailure(error) {
      throw error
    },
  })
  onTestFinished(() => publishing.close())
  return { ...publishing, changes }
}

const noteOf = ({ body }: Sent): unknown =>
  (JSON.parse(body.toString()) as { data: { checkpoint: string } }).data.checkpoint

describe('a webhook that is told of checkpoints', () => {
  it('gets the newest of each tree over HTTPS, signed as Standard Webhooks are, and once', async () => {
    const trees = new MemoryTrees()
    const { port, sent } = await receiver(() => 204)
    const { look, states } = publish(trees, port)
    const notes = [trees.grow('demo', 3), trees.grow('other', 5)]
    await look()
    await look()
    expect(sent.map(noteOf)).toEqual(notes)
    const key = Buffer.from(secret.slice('whsec_'.length), 'base64')
    for (const { headers, body, path } of sent) {
      expect([path, headers['content-type']]).toEqual(['/checkpoints', 'application/json'])
      const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body.toString()}`
      expect(headers['webhook-signature']).toBe(`v1,${createHmac('sha256', key).update(signed).digest('base64')}`)
      expect(Math.abs(Number(headers['webhook-timestamp']) - Date.now() / 1000)).toBeLessThan(300)
    }
    expect(JSON.parse(sent[0]?.body.toString() ?? '')).toEqual({
      type: 'log.checkpoint',
      data: {
        namespace: 'demo',
        period: '2026-11',
        size: 3,
        time: '2026-11-18T11:06:40.000Z',
        checkpoint: notes[0],
      },
    })
    expect(states()).toMatchObject([{ name: 'checkpoint webhook', status: 'ok', problem: null }])
    const newer = trees.grow('demo', 1)
    await look()
    expect(sent.slice(2).map(noteOf)).toEqual([newer])
  })

  it('gets what it refused again, by the same id, also from a server that was started anew', async () => {
    const trees = new MemoryTrees()
    let status = 500
    const { port, sent } = await receiver(() => status)
    const note = trees.grow('demo', 3)
    const positions = new Map<string, string>()
    const first = publish(trees, port, positions)
    await first.look()
    await first.look()
    expect(first.states()).toMatchObject([{ status: 'failing', problem: 'it answers with status 500' }])
    await first.close()
    const tries = sent.length
    status = 200
    const second = publish(trees, port, positions)
    await second.look()
    await second.look()
    expect(tries).toBeGreaterThanOrEqual(2)
    expect(sent).toHaveLength(tries + 1)
    const id = createHash('sha256').update(note).digest('hex')
    expect(new Set(sent.map(({ headers }) => headers['webhook-id']))).toEqual(new Set([id]))
    expect(second.states()).toMatchObject([{ status: 'ok' }])
  })

  it('keeps nobody waiting while it does not answer, and ends with the server', async () => {
    const trees = new MemoryTrees()
    const { port, sent, until } = await receiver(() => null)
    trees.grow('demo', 3)
    const { look, close, states } = publish(trees, port)
    const looking = look()
    await until((all) => all.length === 1)
    // Nothing is known of it yet, and a look at how it fares does not wait.
    expect(states()).toMatchObject([{ status: 'waiting' }])
    await close()
    await looking
    expect(sent).toHaveLength(1)
  })

  it('is told nothing where its certificate is not good for its name', async () => {
    const trees = new MemoryTrees()
    const { port, sent } = await receiver(() => 200, ['elsewhere.example'])
    trees.grow('demo', 3)
    const { look, changes } = publish(trees, port)
    await look()
    expect(changes).toMatchObject([{ status: 'failing', problem: 'it cannot be reached (certificate-refused)' }])
    expect(sent).toEqual([])
    expect(JSON.stringify(changes)).not.toContain('whsec')
  })

  it.each([
    ['short', 'at least 32 characters'],
    [`whsec_${'!'.repeat(40)}`, 'must be base64'],
    [`whsec_${'Ab3d'.repeat(7)}`, 'at least 24 bytes'],
  ])('is refused with a secret like %s', (bad, says) => {
    const parsed = publishingConfigSchema.safeParse({
      checkpoints: { webhook: { url: 'https://receiver.example', secret: bad } },
    })
    expect(parsed.error?.issues.map(({ message }) => message).join()).toContain(says)
  })
})
