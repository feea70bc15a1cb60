import type { ActOutcome, CatalogueEntry, Invocation, InvocationEvents } from '../../src/gateway/index.ts'
import { digestJson, type JsonObject } from '../../src/kernel/index.ts'

/** What a tool made for a test does. */
export type Act = (invocation: Invocation, events: InvocationEvents) => ActOutcome | Promise<ActOutcome>

/** A tool of a service in a namespace, run by a function of the test. */
export function toolEntry(
  name: string,
  act: Act,
  namespace = 'demo',
  inputSchema: JsonObject = { type: 'object' },
): CatalogueEntry {
  const definition: JsonObject = { name, description: `Test tool ${name}.`, inputSchema }
  return {
    kind: 'tool',
    namespace,
    service: name,
    name,
    definition,
    definitionHash: digestJson(definition),
    inputSchema,
    outputSchema: null,
    codeHash: null,
    runtime: null,
    backend: { act: async (invocation, events) => act(invocation, events) },
  }
}

/** A result of one text. */
export function textOutcome(text: string): ActOutcome {
  return { status: 'ok', result: { content: [{ type: 'text', text }] } }
}

/** A tool that says back its argument `text` and who called. */
export function echoEntry(namespace = 'demo'): CatalogueEntry {
  return toolEntry(
    'echo',
    ({ effect, caller }) =>
      textOutcome(`${caller.principal.id} said ${JSON.stringify(effect.kind === 'call' ? effect.arguments : {})}`),
    namespace,
  )
}
