import { spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { expectShown, shownCommands } from '../support/console-blocks.ts'
import { startTestApp, type TestApp } from '../support/running-app.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
let test: TestApp
let directory: string
beforeAll(async () => {
  test = await startTestApp()
  directory = await mkdtemp(join(tmpdir(), 'mcpworks-author-'))
  await symlink(join(root, 'examples'), join(directory, 'examples'))
})
afterAll(async () => {
  await test.close()
  await rm(directory, { recursive: true, force: true })
})

/** The id of a call or of a request for approval. */
const id = /[0-9a-f]{8}-[0-9a-f-]{27}/

type Part = { readonly file: string; readonly text: string } | { readonly console: string }

/** The files that the page tells to write (a block says its path) and the commands that it tells to type, in order. */
function partsOf(page: string): Part[] {
  return [...page.matchAll(/^```(?:yaml|cedar) (\S+)\n(.*?)^```$|^(```console\n.*?^```)$/gms)].map(
    ([, file, text, console = '']) => (file === undefined ? { console } : { file, text: text ?? '' }),
  )
}

/** Types a line as an author would, in their shell; both streams, as the terminal shows them. */
async function type(command: string, environment: Record<string, string>): Promise<string[]> {
  const mcpworks = `npx() { shift; '${process.execPath}' '${join(root, 'src/cli/main.ts')}' "$@"; }`
  // oxlint-disable-next-line mcpworks/no-shell -- what the page shows is typed into a shell
  const child = spawn('bash', ['-c', `exec 2>&1\n${mcpworks}\n${command}`], {
    cwd: directory,
    env: { ...process.env, MCPWORKS_DATA_DIRECTORY: test.dataDirectory, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines: string[] = []
  for await (const line of createInterface({ input: child.stdout })) lines.push(line)
  return lines.slice(0, lines.findLastIndex((line) => line !== '') + 1)
}

it('takes an author from nothing to policies in force and back, with what every command really prints', async () => {
  const parts = partsOf(await readFile(join(root, 'docs/policy-walkthrough.md'), 'utf8'))
  expect(parts.length).toBeGreaterThan(10)
  const environment: Record<string, string> = {}
  let printed = ''
  for (const part of parts) {
    if ('file' in part) {
      await writeFile(join(directory, part.file), part.text)
      continue
    }
    for (const { command, output } of shownCommands(`${part.console}\n`)) {
      // What stands for `…` is on the author's screen: the key, or the id, that the command before printed.
      if (command.startsWith('export ')) {
        environment.MCPWORKS_AGENT_KEY = /mcpw_\S+/.exec(printed)?.[0] ?? ''
        continue
      }
      const typed = command.replace(id, (shown) => id.exec(printed)?.[0] ?? shown)
      let lines = await type(typed, environment)
      // Checkpoints follow their records after a moment; an author types more slowly than this.
      while (lines.some((line) => line.includes('not under a signed checkpoint yet')))
        lines = await type(typed, environment)
      printed = lines.join('\n')
      expectShown(lines, output, command)
    }
  }
}, 240_000)

it('decides the table of calls of the example as the table says, by rule and reason', async () => {
  const policies = 'examples/office/policies'
  const cases = await type(`npx mcpworks policy test examples/office.cases.yaml -n office --with ${policies}`, {})
  expect(cases.filter((line) => !line.startsWith('ok '))).toEqual(['54 passed, 0 failed'])
  const own = await type(`npx mcpworks policy test ${policies} -n office --with ${policies}`, {})
  expect(own.at(-1)).toMatch(/^\d+ passed, 0 failed$/)
})

it('writes no template over a file, none for tools that are not there, and leaves nothing of one that it refuses', async () => {
  const policies = 'my-office/policies'
  const add = (...options: readonly string[]): Promise<string[]> =>
    type(`npx mcpworks policy template add ${options.join(' ')} ${policies} -n office; echo "exit $?"`, {})
  const before = await policyFiles()
  expect(await add('approval', '--id inside', '--set tools=crm-remove')).toEqual([
    'There is inside.rules.yaml already: choose another id.',
    'exit 1',
  ])
  expect(await add('approval', '--set tools=crm-remov')).toEqual([
    'there is no tool crm-remov: did you mean "crm-remove"?',
    'exit 1',
  ])
  expect((await add('aproval', '--set tools=crm-remove')).at(-2)).toBe(
    'There is no template aproval: did you mean approval?',
  )
  const otherwise = '--set tools=mail-send --set from=to --set domains=acme.example'
  expect(await add('recipients-inside', '--id second', otherwise)).toEqual([
    'facts.yaml binds the fact "recipients" of mail-send in another way already',
    'exit 1',
  ])
  expect(await policyFiles()).toEqual(before)
  expect((await add('approval', '--set tools=crm-remove')).at(-1)).toBe('exit 0')
  expect((await policyFiles()).map(([file]) => file)).toEqual(
    [...before.map(([file]) => file), 'approval.cases.yaml', 'approval.rules.yaml'].toSorted(),
  )
})

/** Name and text of each file of the author's policies. */
async function policyFiles(): Promise<[string, string][]> {
  const folder = join(directory, 'my-office/policies')
  const names = (await readdir(folder)).toSorted()
  return Promise.all(names.map(async (name) => [name, await readFile(join(folder, name), 'utf8')]))
}
