import type { JsonObject } from '../../kernel/index.ts'
import type { ShortRule } from '../rules-file.ts'

/** What can be given for a parameter; `parameter-kinds.ts` says how each is written. */
export type ParameterKind =
  | 'who'
  | 'tools'
  | 'tool-names'
  | 'arguments'
  | 'argument'
  | 'argument-or-none'
  | 'currency'
  | 'money-unit'
  | 'domains'
  | 'integer'
  | 'hours'
  | 'days'
  | 'utc-offset'
  | 'label'

/** One blank of a template. */
export interface TemplateParameter {
  readonly name: string
  readonly kind: ParameterKind
  /** What it is, as a sentence. */
  readonly what: string
  /** What is taken where nothing is given; `null` where something must be. */
  readonly default: string | null
  /** Shown where there is no default. */
  readonly example: string
}

/** Values by parameter, each a list; of a parameter that takes one value, a list of one. */
export type TemplateValues = ReadonlyMap<string, readonly string[]>

/** A tool as templates see it: to write cases with arguments that it takes. */
export interface TemplateTool {
  readonly name: string
  readonly service: string
  readonly inputSchema: JsonObject
}

/** Cases before they are written as YAML; a member that is `undefined` is left out. */
export interface TemplateCase {
  readonly name: string
  readonly agent: string
  readonly groups: readonly string[]
  readonly tool: string
  readonly args: JsonObject
  readonly at?: string
  readonly senderConstrained?: boolean
  readonly approved?: boolean
  readonly labels?: readonly string[]
  readonly usage?: JsonObject
  readonly expect?: 'allow' | 'deny'
  readonly rule?: string
  readonly notRule?: string
}

/** Facts that the rules of a template read, as `facts.yaml` binds them: by tool, then by name. */
export interface TemplateFacts {
  readonly facts: Readonly<Record<string, Readonly<Record<string, JsonObject>>>>
  /** ISO 4217 code of what calls spend; `null` where the rules ask for none. */
  readonly currency: string | null
}

/** What a template becomes: rules, and cases that show on both sides of each rule that it does what it says. */
export interface TemplateContent {
  readonly rules: readonly ShortRule[]
  readonly facts?: TemplateFacts['facts']
  readonly currency?: string
  readonly cases: readonly TemplateCase[]
}

/** With what a template is filled. */
export interface TemplateFilling {
  /** First part of the id of every rule, and the name of the file. */
  readonly id: string
  readonly values: TemplateValues
  readonly tools: readonly TemplateTool[]
}

/** Rules for a common need, with blanks. Pure data and functions. */
export interface PolicyTemplate {
  readonly name: string
  readonly title: string
  /** What the rules do and what they do not; the comment on top of the file. */
  readonly about: readonly string[]
  readonly parameters: readonly TemplateParameter[]
  readonly content: (filling: TemplateFilling) => TemplateContent
}
