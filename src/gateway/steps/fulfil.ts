import type { OutcomeDraft } from '../../audit/index.ts'
import type { JsonObject } from '../../kernel/index.ts'
import type { Duties } from '../../policy/index.ts'
import type { ActFacts, InvocationEvents } from '../backend.ts'
import type { IdentifiedCall } from '../call.ts'
import type { CatalogueEntry } from '../catalogue.ts'
import { fulfilResult, type FulfilledResult } from '../obligations/fulfil-result.ts'
import { Unfulfillable } from '../obligations/unfulfillable.ts'
import type { GatewayPorts } from '../ports.ts'
import type { Acted } from './act.ts'

/** What was done about each obligation. */
export type Fulfilled = NonNullable<OutcomeDraft['outcome']['obligations']>

/** The output as it may leave, with what was done to it. `error`: what broke, where that is a bug of ours. */
export interface Fulfilment {
  readonly acted: Acted
  readonly obligations: Fulfilled
  readonly error?: unknown
}

/**
 * Does to the output what the determining permits demand, before it is recorded and answered. Whatever cannot be
 * fulfilled, for any reason, withholds the output as a whole; that the call was carried out stays true and is recorded.
 * Does not look into what a function printed: that stays with the record and is never answered.
 */
export function fulfil(
  call: IdentifiedCall,
  entry: CatalogueEntry | null,
  acted: Acted,
  duties: Duties,
  { schemas }: Pick<GatewayPorts, 'schemas'>,
): Fulfilment {
  const others = [
    ...duties.notify.map((channel) => ({
      obligation: `notify ${channel}`,
      fulfilled: true,
      detail: 'in the record that it is told from',
    })),
    ...(duties.profile === null ? [] : [profileFulfilled(duties.profile, entry, acted)]),
    ...(duties.record === null
      ? []
      : [{ obligation: `record ${duties.record}`, fulfilled: true, detail: 'no more is kept beside the records' }]),
  ]
  if (!changesOutput(duties)) return { acted, obligations: others }
  try {
    const { acted: left, done } = changed(call, entry, acted, duties, schemas)
    return { acted: left, obligations: [...outputObligations(duties, done), ...others] }
  } catch (error) {
    const detail = error instanceof Unfulfillable ? error.message : 'it broke'
    const failed = outputObligations(duties, null).map((one) => ({ ...one, fulfilled: false, detail }))
    const withheld = withhold(acted, detail)
    return {
      acted: withheld,
      obligations: [...failed, ...others],
      ...(error instanceof Unfulfillable ? {} : { error }),
    }
  }
}

/** What the caller hears while a call runs whose output is changed: that it goes on, and none of the tool's words. */
export function hushed(events: InvocationEvents, duties: Duties): InvocationEvents {
  if (!changesOutput(duties)) return events
  return {
    signal: events.signal,
    log() {},
    progress: (progress, total) => events.progress(progress, total, null),
  }
}

function changesOutput({ redact, limitRows }: Duties): boolean {
  return redact.length > 0 || limitRows !== null
}

function changed(
  call: IdentifiedCall,
  entry: CatalogueEntry | null,
  acted: Acted,
  duties: Duties,
  schemas: GatewayPorts['schemas'],
): { readonly acted: Acted; readonly done: FulfilledResult | null } {
  switch (acted.status) {
    case 'broken':
      return { acted, done: null }
    case 'protocol-error':
      return {
        acted: { ...acted, message: 'The tool refused the call. What it says is withheld.', data: null },
        done: null,
      }
    case 'input-required':
      throw new Unfulfillable('the tool asks for something first, and its questions cannot be looked into')
    case 'timeout':
    case 'killed':
    case 'limit':
      return { acted: { ...acted, result: toolError(`The call was ended: ${acted.detail}`) }, done: null }
    case 'ok':
    case 'tool-error': {
      const schema = acted.status === 'ok' && entry?.kind === 'tool' ? entry.outputSchema : null
      const done = fulfilResult(
        call.effect.kind,
        acted.result,
        duties,
        (structured) => schema === null || schemas.check(schema, structured).length === 0,
      )
      return { acted: { ...acted, result: told(call, done) }, done }
    }
  }
}

/** Tells an agent that something is missing. Code that called the tool gets the bare result: it parses it. */
function told(call: IdentifiedCall, { result, rows, redacted }: FulfilledResult): JsonObject {
  const { content } = result
  const said = [
    ...(rows !== null && rows.left > 0 ? ['A policy limits how many rows are given out; there are more.'] : []),
    ...(redacted !== null && redacted.named + redacted.byValue > 0 ? ['A policy took fields out of this result.'] : []),
  ]
  if (said.length === 0 || call.effect.kind !== 'call' || call.parent !== undefined || !Array.isArray(content))
    return result
  return { ...result, content: [...content, { type: 'text', text: said.join(' ') }] }
}

function outputObligations({ redact, limitRows }: Duties, done: FulfilledResult | null): Fulfilled {
  const { rows, redacted } = done ?? { rows: null, redacted: null }
  return [
    ...(redact.length === 0
      ? []
      : [
          {
            obligation: `redact ${redact.join(', ')}`,
            fulfilled: true,
            detail:
              redacted === null
                ? 'there was no output'
                : `${redacted.named} places by name, ${redacted.byValue} by value`,
          },
        ]),
    ...(limitRows === null
      ? []
      : [
          {
            obligation: `limit-rows ${limitRows}`,
            fulfilled: true,
            detail: rows === null ? 'there was no output' : `${rows.kept} rows given out, ${rows.left} left out`,
          },
        ]),
  ]
}

/** Whether it is the right profile is an invariant; that it was one is told here. Operations run no code of anybody. */
function profileFulfilled(profile: string, entry: CatalogueEntry | null, acted: Acted): Fulfilled[number] {
  const used = acted.status === 'broken' ? undefined : acted.sandbox
  const obligation = `profile ${profile}`
  if (used !== undefined) return { obligation, fulfilled: true, detail: `${used.engine}, ${used.profile}` }
  return { obligation, fulfilled: entry === null, detail: 'no code was run' }
}

function withhold(acted: Acted, detail: string): Acted {
  const facts: ActFacts = acted.status === 'broken' ? {} : acted
  const { resources, exitCode, printed, sandbox, jail } = facts
  return {
    ...(resources === undefined ? {} : { resources }),
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(printed === undefined ? {} : { printed }),
    ...(sandbox === undefined ? {} : { sandbox }),
    ...(jail === undefined ? {} : { jail }),
    status: 'tool-error',
    detail: 'an obligation could not be fulfilled',
    result: toolError(
      `The call was carried out, but a policy demands that its output is changed before it is given out, and that was not possible (${detail}). The output is withheld.`,
    ),
  }
}

function toolError(text: string): JsonObject {
  return { content: [{ type: 'text', text }], isError: true }
}
