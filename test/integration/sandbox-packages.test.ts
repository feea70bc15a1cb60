import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { defaultLimits } from '../../src/functions/function-limits.ts'
import { sandboxConfigSchema, startSandbox } from '../../src/sandbox/index.ts'
import type { Sandbox, SandboxOutcome } from '../../src/sandbox/index.ts'
import { keptDirectory } from '../support/kept-directory.ts'

const distributionPackages = '/usr/lib/python3/dist-packages'

async function start(pythonPackagesDirectory: string | null): Promise<Sandbox> {
  return await startSandbox(sandboxConfigSchema.parse({ concurrency: 2, pythonPackagesDirectory }))
}

async function run(sandbox: Sandbox, source: string, others: Record<string, string> = {}): Promise<SandboxOutcome> {
  const files = Object.entries({ 'main.py': source, ...others })
  return await sandbox.run({
    id: 'test',
    runtime: 'python',
    files: new Map(files.map(([path, text]) => [path, Buffer.from(text)])),
    entry: { file: 'main.py', name: 'main' },
    inputJson: '{}',
    limits: defaultLimits('python'),
  })
}

describe('with the packages of the distribution', () => {
  let sandbox: Sandbox
  beforeAll(async () => {
    sandbox = await start(distributionPackages)
  })
  afterAll(async () => {
    await sandbox.close()
  })

  test('a function groups a table with pandas under the limits of a function that asks for nothing', async () => {
    const source = `import pandas
def main(_):
    table = pandas.DataFrame({"team": ["a", "b", "a"], "points": [1, 2, 3]})
    return table.groupby("team").points.sum().to_dict()
`
    expect(await run(sandbox, source)).toMatchObject({ status: 'ok', resultJson: '{"a":4,"b":2}' })
  })

  test('numpy multiplies matrices and solves equations, through the libraries behind /etc/alternatives', async () => {
    const source = `import os
import numpy
def main(_):
    square = numpy.arange(90_000).reshape(300, 300) @ numpy.eye(300)
    solved = numpy.linalg.solve(numpy.array([[2.0, 0.0], [0.0, 4.0]]), numpy.array([2.0, 8.0]))
    return [square.shape[0], float(square[0, 5]), solved.tolist(), os.listdir("/etc")]
`
    expect(await run(sandbox, source)).toMatchObject({
      status: 'ok',
      resultJson: '[300,5.0,[1.0,2.0],["alternatives"]]',
    })
  })
})

describe('with packages of its own', () => {
  const directory = keptDirectory()
  let sandbox: Sandbox
  beforeAll(async () => {
    const write = (path: string, text: string): void => writeFileSync(join(directory, path), text, { mode: 0o644 })
    mkdirSync(join(directory, 'greeting'), { mode: 0o755 })
    write('greeting/__init__.py', 'text = "of the package"\n')
    write('json.py', 'raise RuntimeError("a package in place of the standard library")\n')
    write('evil.pth', 'import os; os.environ["FROM_PTH"] = "1"\n')
    chmodSync(directory, 0o755)
    // Open to all, so that only the mount can refuse.
    chmodSync(join(directory, 'greeting', '__init__.py'), 0o666)
    sandbox = await start(directory)
  })
  afterAll(async () => {
    await sandbox.close()
  })

  test('the own files of a function come first, then the standard library, then packages', async () => {
    const source = 'import greeting, json\ndef main(_):\n    return [greeting.text, json.__name__]\n'
    expect(await run(sandbox, source)).toMatchObject({ status: 'ok', resultJson: '["of the package","json"]' })
    expect(await run(sandbox, source, { 'greeting.py': 'text = "of the function"\n' })).toMatchObject({
      status: 'ok',
      resultJson: '["of the function","json"]',
    })
  })

  test('a function cannot change a package, even one that all may write', async () => {
    const source = `import greeting
def main(_):
    try:
        open(greeting.__file__, "a")
    except OSError as error:
        return [greeting.__file__, error.errno]
`
    const [path, readOnlyFileSystem] = ['/packages/greeting/__init__.py', 30]
    expect(await run(sandbox, source)).toMatchObject({
      status: 'ok',
      resultJson: JSON.stringify([path, readOnlyFileSystem]),
    })
  })

  test('what *.pth files say is not run', async () => {
    const source = 'import os\ndef main(_):\n    return os.environ.get("FROM_PTH")\n'
    expect(await run(sandbox, source)).toMatchObject({ status: 'ok', resultJson: 'null' })
  })

  test('an import of what is not there names both places where it is looked for', async () => {
    const outcome = await run(sandbox, 'import numpy\ndef main(_):\n    return 1\n')
    expect(outcome).toMatchObject({
      status: 'invalid',
      message: expect.stringContaining(
        'Functions see the standard library and the packages of sandbox.pythonPackagesDirectory; numpy is in neither.',
      ),
    })
  })

  test('a directory that the user of the jails cannot read refuses the start and says which', async () => {
    const closed = join(directory, 'closed')
    mkdirSync(closed, { mode: 0o000 })
    await expect(start(closed)).rejects.toMatchObject({
      code: 'sandbox_unavailable',
      message: expect.stringContaining(`sandbox.pythonPackagesDirectory: ${closed} cannot be read by user id`),
    })
  })
})

test('without packages an import at the top or in a call names the setting that offers them', async () => {
  const sandbox = await start(null)
  const hint =
    'Functions see the standard library only, and numpy is not in it. An operator can offer packages with sandbox.pythonPackagesDirectory.'
  expect(await run(sandbox, 'import numpy\ndef main(_):\n    return 1\n')).toMatchObject({
    status: 'invalid',
    message: expect.stringContaining(hint),
  })
  expect(await run(sandbox, 'def main(_):\n    import numpy\n')).toMatchObject({
    status: 'exception',
    kind: 'ModuleNotFoundError',
    message: `No module named 'numpy' ${hint}`,
  })
  await sandbox.close()
})

test('the time zones of the standard library are there', async () => {
  const sandbox = await start(null)
  const source = `import datetime, zoneinfo
def main(_):
    return datetime.datetime(2026, 7, 1, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin")).isoformat()
`
  expect(await run(sandbox, source)).toMatchObject({ status: 'ok', resultJson: '"2026-07-01T00:00:00+02:00"' })
  await sandbox.close()
})
