import { stringify } from 'yaml'
import { isJsonObject, nearestName } from '../../kernel/index.ts'
import type { PolicySource } from '../policy-engine.ts'
import type { ShortRule } from '../rules-file.ts'
import { toolsOf } from './case-callers.ts'
import { mergeFacts } from './merge-facts.ts'
import type {
  ParameterKind,
  PolicyTemplate,
  TemplateCase,
  TemplateContent,
  TemplateTool,
  TemplateValues,
} from './policy-template.ts'
import { readTemplateValues } from './template-values.ts'

/** What to fill a template with. */
export interface TemplateOrder {
  readonly template: PolicyTemplate
  /** Name of the file without its ending, and first part of the id of every rule. */
  readonly id: string
  /** Values by parameter, as people write them. */
  readonly given: Readonly<Record<string, string>>
  readonly tools: readonly TemplateTool[]
  /** The file of facts that there is; `null` where there is none. */
  readonly factsFile: string | null
}

/** The files that a template becomes, or what is wrong with what was given for it. */
export type FilledTemplate =
  | {
      readonly ok: true
      readonly rules: PolicySource
      readonly cases: PolicySource
      /** The file of facts with those that the rules read; `null` where they read none. */
      readonly facts: PolicySource | null
      /** The cases of that file. */
      readonly caseList: readonly TemplateCase[]
    }
  | { readonly ok: false; readonly problems: readonly string[] }

/**
 * Fills a template: a file of short rules, and one of cases that show that they do what they say. Pure. Whether the
 * groups and agents that were given exist is not looked at: policies may name those to come.
 */
export function fillTemplate(order: TemplateOrder): FilledTemplate {
  const { template, id, given, tools, factsFile } = order
  const read = readTemplateValues(template, given)
  if (!read.ok) return read
  const problems = [
    ...unknownTools(template, read.values, tools),
    ...unknownArguments(template, read.values, tools),
    ...emptyHours(read.values),
  ]
  if (problems.length > 0) return { ok: false, problems }
  const content = template.content({ id, values: read.values, tools })
  if (content.cases.length === 0)
    return { ok: false, problems: ['there is no tool yet that these rules could be about'] }
  const { facts, currency = null } = content
  const merged = facts === undefined ? null : mergeFacts(factsFile, { facts, currency })
  if (merged?.ok === false) return merged
  const file = `${id}.rules.yaml`
  const caseList = content.cases.map((one) => namedIn(file, one))
  return {
    ok: true,
    rules: { file, text: rulesText(template, content.rules, madeWith(order)) },
    cases: { file: `${id}.cases.yaml`, text: casesText(file, caseList) },
    facts: merged?.file ?? null,
    caseList,
  }
}

/** The rules as they would be with what parameters have as defaults and examples: to look at, without any tools. */
export function templateExample(template: PolicyTemplate): string {
  const given = template.parameters.map(({ name, default: value, example }) => [name, value ?? example])
  const read = readTemplateValues(template, Object.fromEntries(given) as Record<string, string>)
  if (!read.ok) throw new Error(`the examples of the template ${template.name} do not fit it`)
  const { rules, facts, currency } = template.content({ id: template.name, values: read.values, tools: [] })
  const text = rulesText(template, rules, [])
  const merged = facts === undefined ? null : mergeFacts(null, { facts, currency: currency ?? null })
  if (merged?.ok !== true) return text
  const bound = merged.file.text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return `${text}# and in facts.yaml:\n${bound.map((line) => `#   ${line}\n`).join('')}`
}

function unknownTools(template: PolicyTemplate, values: TemplateValues, tools: readonly TemplateTool[]): string[] {
  const named = template.parameters
    .filter(({ kind }) => kind === 'tools' || kind === 'tool-names')
    .flatMap(({ name }) => values.get(name) ?? [])
  return named.flatMap((which) => {
    if (which === 'any tool' || toolsOf(which, tools).length > 0) return []
    const known = which.startsWith('service ')
      ? new Set(tools.map(({ service }) => `service ${service}`))
      : tools.map(({ name }) => name)
    const near = nearestName(which, known)
    const kind = which.startsWith('service ') ? '' : 'tool '
    return [`there is no ${kind}${which}${near === null ? '' : `: did you mean "${near}"?`}`]
  })
}

function unknownArguments(template: PolicyTemplate, values: TemplateValues, tools: readonly TemplateTool[]): string[] {
  const named = (...wanted: readonly ParameterKind[]): readonly string[] =>
    template.parameters.filter(({ kind }) => wanted.includes(kind)).flatMap(({ name }) => values.get(name) ?? [])
  const wantedArguments = [
    ...named('arguments', 'argument'),
    ...named('argument-or-none').filter((argument) => argument !== 'none'),
  ]
  return tools
    .filter(({ name }) => named('tool-names').includes(name))
    .flatMap(({ name: tool, inputSchema }) => {
      const known = Object.keys(isJsonObject(inputSchema.properties) ? inputSchema.properties : {})
      return wantedArguments
        .filter((argument) => !known.includes(argument))
        .map((argument) => {
          const near = nearestName(argument, known)
          return `${tool} has no argument "${argument}"${near === null ? `; it has ${known.join(', ')}` : `: did you mean "${near}"?`}`
        })
    })
}

function emptyHours(values: TemplateValues): string[] {
  const [from = 0, to = 24] = (values.get('hours')?.[0] ?? '').split('-').map(Number)
  return from < to || !values.has('hours') ? [] : ['hours end after they begin, on the same day: such as 8-18']
}

/** The command that writes the file once more, in parts. What values can hold needs no more than quotes in a shell. */
function madeWith({ template, id, given }: TemplateOrder): string[] {
  const values = template.parameters.flatMap(({ name }) => {
    const value = given[name]
    return value === undefined ? [] : [`  --set ${name}="${value}"`]
  })
  return [`Made with: mcpworks policy template add ${template.name} DIRECTORY --id ${id}`, ...values]
}

function rulesText(template: PolicyTemplate, rules: TemplateContent['rules'], made: readonly string[]): string {
  const comment = [`${template.title}.`, ...template.about, ...made].map((line) => `# ${line}\n`)
  return `${comment.join('')}${stringify({ rules: rules.map(plainRule) }, { aliasDuplicateObjects: false, lineWidth: 0, singleQuote: true })}`
}

/** A list of one as the one. */
function plainRule(rule: ShortRule): object {
  return Object.fromEntries(
    Object.entries(rule).map(([key, value]) => [key, Array.isArray(value) && value.length === 1 ? value[0] : value]),
  )
}

/** Cases name a rule by its file. */
function namedIn(file: string, one: TemplateCase): TemplateCase {
  return {
    ...one,
    ...(one.rule === undefined ? {} : { rule: `${file}#${one.rule}` }),
    ...(one.notRule === undefined ? {} : { notRule: `${file}#${one.notRule}` }),
  }
}

function casesText(file: string, cases: readonly TemplateCase[]): string {
  return `# What ${file} must do, on both sides of each rule.\n${stringify({ cases }, { aliasDuplicateObjects: false, lineWidth: 0, singleQuote: true })}`
}
