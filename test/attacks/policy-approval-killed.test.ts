import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../src/kernel/index.ts'
import { openStorage, type Storage } from '../../src/storage/index.ts'
import { approvalsAt, approved, wantedCall } from '../support/approvals-at.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

// I10: who can make the server end in the middle of a call must not get a second one out of one approval.

async function opened(dataDirectory = temporaryDirectory()): Promise<Storage> {
  const storage = await openStorage({ dataDirectory, clock: systemClock })
  onTestFinished(() => storage.close())
  return storage
}

it('is spent for good where the server was killed between spending it and the call, and only that one', async () => {
  const dataDirectory = temporaryDirectory()
  const script = fileURLToPath(new URL('../support/approvals-killed.ts', import.meta.url))
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, dataDirectory], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  expect((await once(child, 'close'))[1]).toBe('SIGKILL')

  const approvals = approvalsAt(await opened(dataDirectory))
  expect(await approvals.list('shop', false)).toMatchObject([
    { status: 'pending' },
    { status: 'approved' },
    { status: 'spent', spentByCall: 'call of spent' },
  ])
  expect(await approvals.seek(wantedCall('spent'))).toMatchObject({ kind: 'pending' })
  expect(await approvals.seek(wantedCall('waiting'))).toMatchObject({ kind: 'pending' })
  // The twin: what was not spent is good, once.
  expect(await approvals.seek(wantedCall('not spent'))).toMatchObject({ kind: 'granted', by: 'anna' })
  expect(await approvals.seek(wantedCall('not spent'))).toMatchObject({ kind: 'pending' })
})

it('is spent once however many ask; a store that reads before it writes would spend it many times', async () => {
  const storage = await opened()
  const store = storage.approvals
  const askers = Array.from({ length: 12 })
  const granted = async (approvals: ReturnType<typeof approvalsAt>, order: string): Promise<number> => {
    await approved(approvals, wantedCall(order))
    const all = await Promise.all(askers.map(() => approvals.seek(wantedCall(order))))
    return all.filter(({ kind }) => kind === 'granted').length
  }
  expect(await granted(approvalsAt(storage), 'one')).toBe(1)
  // The control.
  const careless = approvalsAt(storage, {
    async spend(namespace, binding, call, nowMs) {
      const found = await store.findOpen(namespace, binding, nowMs)
      if (found?.status !== 'approved') return null
      await store.spend(namespace, binding, call, nowMs)
      return found
    },
  })
  expect(await granted(careless, 'two')).toBeGreaterThan(1)
})

it('is for these arguments; bound to the name of the tool alone it would be good for any', async () => {
  const approvals = approvalsAt(await opened())
  await approved(approvals, wantedCall('small'))
  expect(await approvals.seek(wantedCall('large'))).toMatchObject({ kind: 'pending' })
  expect(await approvals.seek(wantedCall('small'))).toMatchObject({ kind: 'granted' })
  // The control: what the binding leaves out does not count.
  const nameOnly = (order: string) => ({ ...wantedCall(order), arguments: {} })
  await approved(approvals, nameOnly('small'))
  expect(await approvals.seek(nameOnly('large'))).toMatchObject({ kind: 'granted' })
})
