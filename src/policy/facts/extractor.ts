import type { z } from 'zod'
import { digestJson, type Digest, type JsonObject, type JsonValue } from '../../kernel/index.ts'
import type { CedarType } from '../argument-type.ts'
import type { CedarValueJson } from '../cedar.ts'

/** One argument that a fact is derived from. Never null. */
export interface FactInput {
  /** The argument's name, as the binding says it. */
  readonly argument: string
  readonly value: JsonValue
}

/** A fact, or why there is none. */
export type Extracted =
  | {
      readonly ok: true
      /** As Cedar gets it. */
      readonly value: CedarValueJson
      /** The part that may stand in records in the clear: figures, schemes, verbs, domains. */
      readonly open: JsonValue
      /** Set where the extractor gives money. */
      readonly money?: { readonly minor: number; readonly currency: string }
    }
  | {
      readonly ok: false
      readonly argument: string
      /** Completes "the argument ..." and never quotes what it holds: "holds an address with a comment". */
      readonly problem: string
    }

/**
 * Makes a fact out of hostile arguments: pure, in time linear in their size, and bounded. What two readers could
 * understand differently is a problem and not a guess, because policies decide on the fact and the tool acts on the
 * argument.
 */
export interface Extractor {
  readonly name: string
  /** Raised whenever the same arguments could give another fact. */
  readonly version: number
  /** What its parameters are, for messages and the check of bindings. */
  readonly parameters: z.ZodObject
  readonly type: CedarType
  /** Whether its facts are amounts of money, so that one can say what a call spends. */
  readonly givesMoney: boolean
  /** How many arguments it reads together. */
  readonly takes: { readonly least: number; readonly most: number }
  /** The fact where none of its arguments is there; `null` where there is none then. */
  readonly whenAbsent: { readonly value: CedarValueJson; readonly open: JsonValue } | null
  /** Whether an argument of this type, at this place among its arguments, could ever be read with these parameters. */
  readonly reads: (type: CedarType, parameters: JsonObject, position: number) => boolean
  /** Why parameters and arguments do not go together; `null`, as where it is left out: they do. */
  readonly misuse?: (parameters: JsonObject, from: readonly string[]) => string | null
  /** Expects parameters that passed its schema, and at least one input. */
  readonly extract: (inputs: readonly FactInput[], parameters: JsonObject) => Extracted
}

/** The problem with an argument, as an extractor answers it. */
export function unreadable(argument: string, problem: string): Extracted & { readonly ok: false } {
  return { ok: false, argument, problem }
}

/** Names exactly what a fact was made with: another digest means that the same arguments could give another fact. */
export function extractorDigest({ name, version }: Extractor, parameters: JsonObject): Digest {
  return digestJson({ name, parameters, version })
}

/** Whether text holds what no reader should have to agree on: control characters, marks that turn or hide text. */
export function hidesText(text: string): boolean {
  return /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}]/u.test(text) || !text.isWellFormed()
}

/** The texts of an argument that is text or a list of text; `null` where it is anything else. */
export function textsOf(value: JsonValue): readonly string[] | null {
  const parts = Array.isArray(value) ? value : [value]
  return parts.every((part) => typeof part === 'string') ? parts : null
}

/** String or set of strings. */
export function isText(type: CedarType): boolean {
  return type.type === 'String' || (type.type === 'Set' && type.element.type === 'String')
}
