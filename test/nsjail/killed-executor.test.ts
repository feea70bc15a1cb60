import { readdirSync, readFileSync } from 'node:fs'
import { chmod, mkdtemp, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { engineUnderTest } from '../support/engine-under-test.ts'
import { PlannedJails, pythonCommand } from './planned-jails.ts'

let directory: string
/** nsjail under a name that only this test gives it: so its processes, and jails, are known wherever they end up. */
let marked: string

beforeEach(async () => {
  directory = await mkdtemp('/var/tmp/killed-executor-')
  await chmod(directory, 0o755)
  marked = join(directory, 'nsjail')
  await symlink(engineUnderTest.nsjailPath ?? '', marked)
})

afterEach(async () => {
  await rm(directory, { recursive: true })
})

/** Ids of the living processes of the jails, and of what makes them. */
function processes(): string[] {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false
    try {
      const command = readFileSync(`/proc/${name}/cmdline`, 'latin1')
      return command.includes(marked) && !command.includes('plan-runner')
    } catch {
      return false
    }
  })
}

async function untilNone(): Promise<string[]> {
  while (processes().length > 0) await pause(5)
  return processes()
}

/** The jail has what the runners have: it waits for its channel and ends with it. */
const waiting = 'import os\nos.write(1, b"up")\nos.read(3, 1)'
const busy = 'import os\nos.write(1, b"up")\nwhile True: pass'

describe('an executor that is killed', () => {
  test('leaves no process, at whatever moment of making jails it was', async () => {
    for (const moment of [1, 2, 3, 4, 5, 6, 7, 9, 11, 14]) {
      const jails = new PlannedJails({ nsjailPath: marked })
      const closed = new Promise((resolve) => jails.child.once('close', resolve))
      for (let count = 0; count < 6; count += 1)
        jails.order({ changes: { command: [...pythonCommand(waiting), marked] } })
      for (let line = 0; line < moment; line += 1) await jails.next()
      jails.child.kill('SIGKILL')
      await closed
      expect(await untilNone()).toEqual([])
    }
  }, 120_000)

  test('takes with it what runs and listens to nothing', async () => {
    const jails = new PlannedJails({ nsjailPath: marked })
    const closed = new Promise((resolve) => jails.child.once('close', resolve))
    jails.order({ changes: { command: [...pythonCommand(busy), marked] } })
    while ((await jails.next()).said !== 'output');
    // setpriv has become nsjail; its child is the program.
    expect(processes()).toHaveLength(2)
    jails.child.kill('SIGKILL')
    await closed
    expect(await untilNone()).toEqual([])
  })

  test('takes with it a jail that was stopped, and one whose nsjail was', async () => {
    for (const which of [0, 1]) {
      const jails = new PlannedJails({ nsjailPath: marked })
      const closed = new Promise((resolve) => jails.child.once('close', resolve))
      jails.order({ changes: { command: [...pythonCommand(busy), marked] } })
      while ((await jails.next()).said !== 'output');
      process.kill(Number(processes().toSorted((a, b) => Number(a) - Number(b))[which]), 'SIGSTOP')
      jails.child.kill('SIGKILL')
      await closed
      expect(await untilNone()).toEqual([])
    }
  })
})

test('nsjail that is killed takes its jail with it', async () => {
  const jails = new PlannedJails({ nsjailPath: marked })
  jails.order({ changes: { command: [...pythonCommand(busy), marked] } })
  while ((await jails.next()).said !== 'output');
  const [nsjail] = processes().toSorted((a, b) => Number(a) - Number(b))
  process.kill(Number(nsjail), 'SIGKILL')
  for (let said = await jails.next(); ; said = await jails.next()) {
    if (said.said !== 'ended') continue
    expect(said.exitCode).toBeNull()
    break
  }
  expect(processes()).toEqual([])
  await jails.close()
})
