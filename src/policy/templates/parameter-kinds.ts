import { minorDigits } from '../facts/currencies.ts'
import type { ParameterKind } from './policy-template.ts'

interface Kind {
  readonly many: boolean
  readonly pattern: RegExp
  /** How a value is written, for whoever wrote it otherwise. */
  readonly written: string
}

const weekday = '(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday)'

/** How the values of each kind of parameter are written. Several are separated by commas. */
export const parameterKinds: Readonly<Record<ParameterKind, Kind>> = {
  who: {
    many: true,
    pattern: /^(?:anyone|(?:agent|group) [a-z][a-z0-9-]{0,38}[a-z0-9])$/,
    written: '"group NAME", "agent NAME" or "anyone"',
  },
  tools: {
    many: true,
    pattern: /^(?:any tool|service [a-z][a-z0-9-]{0,38}[a-z0-9]|[A-Za-z0-9_-]{1,128})$/,
    written: 'names of tools, "service NAME" or "any tool"',
  },
  'tool-names': { many: true, pattern: /^[A-Za-z0-9_-]{1,128}$/, written: 'names of tools' },
  arguments: { many: true, pattern: /^[A-Za-z_][A-Za-z0-9_-]{0,127}$/, written: 'names of arguments' },
  argument: { many: false, pattern: /^[A-Za-z_][A-Za-z0-9_-]{0,127}$/, written: 'the name of an argument' },
  'argument-or-none': {
    many: false,
    pattern: /^[A-Za-z_][A-Za-z0-9_-]{0,127}$/,
    written: 'the name of an argument, or "none"',
  },
  currency: {
    many: false,
    pattern: new RegExp(`^(?:${[...minorDigits.keys()].join('|')})$`),
    written: 'a currency of ISO 4217, such as EUR',
  },
  'money-unit': { many: false, pattern: /^(?:major|minor)$/, written: 'major (euros) or minor (cents)' },
  domains: {
    many: true,
    pattern: /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])$/,
    written: 'domains in lower case, such as acme.example; international ones in punycode',
  },
  integer: { many: false, pattern: /^[1-9][0-9]{0,11}$/, written: 'a whole number above 0' },
  hours: {
    many: false,
    pattern: /^(?:[01]?[0-9]|2[0-3])-(?:[01]?[0-9]|2[0-4])$/,
    written: 'from-to in hours of the day, such as 8-18',
  },
  days: { many: true, pattern: new RegExp(`^${weekday}(?:-${weekday})?$`), written: 'such as monday-friday, sunday' },
  'utc-offset': {
    many: false,
    pattern: /^[+-](?:0[0-9]|1[0-3]):(?:00|15|30|45)$|^[+-]14:00$/,
    written: 'how far local time is ahead of UTC, such as +01:00 or -08:00',
  },
  label: { many: false, pattern: /^[a-z][a-z0-9-]{0,63}$/, written: 'the name of a label: a-z, 0-9 and hyphen' },
}
