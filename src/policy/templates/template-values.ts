import { nearestName } from '../../kernel/index.ts'
import { parameterKinds } from './parameter-kinds.ts'
import type { PolicyTemplate, TemplateParameter, TemplateValues } from './policy-template.ts'

/** Values that fit the parameters, or what is wrong with those given. */
export type ReadValues =
  | { readonly ok: true; readonly values: TemplateValues }
  | { readonly ok: false; readonly problems: readonly string[] }

/** Reads values as people give them, `{who: "group interns, agent trainee"}`; takes defaults for what is left out. */
export function readTemplateValues(template: PolicyTemplate, given: Readonly<Record<string, string>>): ReadValues {
  const names = template.parameters.map(({ name }) => name)
  const problems = Object.keys(given)
    .filter((name) => !names.includes(name))
    .map((name) => {
      const near = nearestName(name, names)
      return `${template.name} has no parameter "${name}"${near === null ? `; it has ${names.join(', ')}` : `: did you mean "${near}"?`}`
    })
  const values = new Map<string, readonly string[]>()
  for (const parameter of template.parameters) {
    const text = Object.hasOwn(given, parameter.name) ? given[parameter.name] : parameter.default
    const read = readValue(parameter, text ?? null)
    if (typeof read === 'string') problems.push(read)
    else values.set(parameter.name, read)
  }
  return problems.length === 0 ? { ok: true, values } : { ok: false, problems }
}

/** The values, or the sentence that says what is wrong. */
function readValue({ name, kind, what, example }: TemplateParameter, text: string | null): readonly string[] | string {
  if (text === null) return `"${name}" is needed: ${what} For example: --set ${name}="${example}"`
  const { many, pattern, written } = parameterKinds[kind]
  const parts = (many ? text.split(',') : [text]).map((part) => part.trim().replaceAll(/\s+/g, ' '))
  const wrong = parts.find((part) => !pattern.test(part))
  if (wrong !== undefined) return `${name}=${JSON.stringify(wrong)} cannot be read: write ${written}`
  if (parts.length > 20) return `"${name}" has more than 20 values`
  return [...new Set(parts)]
}

/** The value of a parameter that takes one. @throws Error if the template has no such parameter, which is a mistake in it. */
export function oneValue(values: TemplateValues, name: string): string {
  const [value] = allValues(values, name)
  if (value === undefined) throw new Error(`the template reads "${name}", which it does not declare`)
  return value
}

/** The values of a parameter. @throws Error if the template has no such parameter. */
export function allValues(values: TemplateValues, name: string): readonly string[] {
  const found = values.get(name)
  if (found === undefined) throw new Error(`the template reads "${name}", which it does not declare`)
  return found
}
