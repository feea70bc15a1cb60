import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import { isJsonObject, type JsonObject } from '../../kernel/index.ts'
import { problemLine } from '../api-client.ts'
import { CliError } from '../cli-error.ts'
import type { CommandContext } from '../context.ts'
import { exitCode } from '../exit-code.ts'
import { chooseNamespace, namespaceOption } from '../namespace-option.ts'
import { listPolicyFiles, regularFiles } from '../read-policy-files.ts'
import { table } from '../terminal.ts'
import { objects } from './rows.ts'

/** `mcpworks policy template list|show|add`. */
export function addPolicyTemplateCommands(policy: Command, context: () => CommandContext): void {
  const template = policy.command('template').description('Rules for common needs, with blanks to fill in')

  template
    .command('list')
    .description('Lists the templates')
    .action(async () => {
      const { policyTemplates } = await import('../../app/index.ts')
      const rows = policyTemplates.map(({ name, title }) => [name, title])
      context().terminal.result({ templates: policyTemplates }, table(['TEMPLATE', 'WHAT IT DOES'], rows))
    })

  template
    .command('show <template>')
    .description('Shows what can be given for a template, and the rules with its defaults and examples')
    .action(async (name: string) => {
      const { policyTemplates, templateExample } = await import('../../app/index.ts')
      const found = policyTemplates.find((one) => one.name === name)
      if (found === undefined)
        throw new CliError(exitCode.usage, `There is no template ${name}.`, 'mcpworks policy template list')
      const rows = found.parameters.map((parameter) => [
        parameter.name,
        parameter.what,
        parameter.default ?? '(needed)',
        parameter.example,
      ])
      const example = templateExample(found)
      const text = `${table(['--set', 'WHAT', 'DEFAULT', 'EXAMPLE'], rows)}\n\n${example.trimEnd()}`
      context().terminal.result({ ...found, rules: example }, text)
    })

  template
    .command('add <template> <directory>')
    .description(
      'Writes the rules of a template, and cases that show what they do, into a directory of policies; overwrites nothing',
    )
    .option(...namespaceOption)
    .option('--set <name=value>', 'a value for a blank of the template; may be given several times', collect, [])
    .option('--id <id>', 'name of the files and first part of the ids of the rules (default: the name of the template)')
    .action(async (name: string, directory: string, options: { namespace?: string; set: string[]; id?: string }) => {
      const current = context()
      const namespace = await chooseNamespace(options.namespace, current)
      const present = new Set(await regularFiles(directory))
      const policyFiles = await listPolicyFiles(directory)
      const answer = await current.api().call('policy.template', {
        namespace,
        template: name,
        id: options.id ?? null,
        values: valuesOf(options.set),
        files: policyFiles,
      })
      refuseFailing(answer)
      const files = objects(answer.files).map((file) => ({ path: fileName(file), text: String(file.text) }))
      for (const { path } of files)
        if (present.has(path))
          throw new CliError(
            exitCode.failed,
            `${join(directory, path)} is there already.`,
            'Give another name with --id',
          )
      const facts = await putFacts(directory, policyFiles, answer)
      for (const { path, text } of files) await writeNew(join(directory, path), text)
      current.terminal.result(
        answer,
        addedText([...files.map(({ path }) => `wrote ${join(directory, path)}`), ...facts], answer),
      )
    })
}

const collect = (value: string, before: string[]): string[] => [...before, value]

/** `who=group interns` as a member; the first `=` parts. */
function valuesOf(given: readonly string[]): JsonObject {
  return Object.fromEntries(
    given.map((text) => {
      const at = text.indexOf('=')
      if (at < 1) throw new CliError(exitCode.usage, `--set ${text} is not name=value.`, '--set who="group interns"')
      return [text.slice(0, at), text.slice(at + 1)]
    }),
  )
}

/** A template whose own cases fail with the tools that are there is not written: it would promise what it does not do. */
function refuseFailing(answer: JsonObject): void {
  const failed = failures(answer.alone)
  if (failed.length > 0)
    throw new CliError(exitCode.failed, `The rules do not do what they say with these tools:\n${failed.join('\n')}`)
}

function failures(results: JsonObject[string] | undefined): string[] {
  return objects(results).flatMap(({ name, problems }) =>
    (Array.isArray(problems) ? problems : []).map((problem) => `  ${String(name)}: ${String(problem)}`),
  )
}

/** The name that the server gave a file: one in the directory itself, whatever server that is. */
function fileName({ path }: JsonObject): string {
  const name = String(path)
  if (/^(?:[a-z][a-z0-9-]{0,39}\.(?:rules|cases)|facts)\.yaml$/.test(name)) return name
  throw new CliError(exitCode.failed, `The server answered a file named ${JSON.stringify(name)}; nothing was written.`)
}

/** Never over a file that is there, also where it appeared a moment ago, and never through a link. */
async function writeNew(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { flag: 'wx' })
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error'
    throw new CliError(exitCode.failed, `${path} cannot be written (${code}).`)
  }
}

/**
 * Writes the file of facts with what the server added to it; says so. Refuses where somebody changed the file after it
 * was read. Takes the place of the old file in one step.
 */
async function putFacts(directory: string, before: readonly JsonObject[], { facts }: JsonObject): Promise<string[]> {
  if (!isJsonObject(facts)) return []
  const path = join(directory, fileName(facts))
  const text = String(facts.text)
  const old = before.find((file) => file.path === facts.path)
  if (old === undefined) {
    await writeNew(path, text)
    return [`wrote ${path}`]
  }
  if (old.text === text) return []
  const next = `${path}.${process.pid}.new`
  await writeNew(next, text)
  if ((await readFile(path, 'utf8')) !== old.text) {
    await rm(next)
    throw new CliError(exitCode.failed, `${path} was changed meanwhile; nothing was written.`)
  }
  await rename(next, path)
  return [`added to ${path}`]
}

function addedText(written: readonly string[], answer: JsonObject): string {
  const others = failures(answer.together)
  return [
    ...written,
    `${objects(answer.alone).length} cases pass. Nothing is in force before it is applied.`,
    ...objects(answer.problems).map((problem) => `${String(problem.severity)}: ${problemLine(problem)}`),
    ...(others.length === 0
      ? []
      : ['Together with the other rules of the directory, these come out otherwise:', ...others]),
  ].join('\n')
}
