import type {
  ActOutcome,
  Backend,
  CatalogueEntry,
  EntryKind,
  Invocation,
  InvocationEvents,
} from '../../src/gateway/index.ts'
import { digestJson, type JsonObject } from '../../src/kernel/index.ts'
import { actPrompt } from './fixture-prompts.ts'
import { actResource } from './fixture-resources.ts'
import { actTool } from './fixture-tools.ts'

/** Namespace and service of everything that the official conformance runner expects to find. */
export const fixtureNamespace = 'conformance'
const service = 'fixtures'

const noArguments: JsonObject = { type: 'object', properties: {}, additionalProperties: false }
const strings = (...names: string[]): JsonObject => ({
  type: 'object',
  properties: Object.fromEntries(names.map((name) => [name, { type: 'string' }])),
  required: names,
  additionalProperties: false,
})

const toolNames = [
  'test_simple_text',
  'test_image_content',
  'test_audio_content',
  'test_embedded_resource',
  'test_multiple_content_types',
  'test_tool_with_logging',
  'test_logging_tool',
  'test_error_handling',
  'test_tool_with_progress',
  'test_elicitation_sep1034_defaults',
  'test_elicitation_sep1330_enums',
  'test_missing_capability',
  'test_streaming_elicitation',
  'test_trigger_tool_change',
  'test_trigger_prompt_change',
  'test_input_required_result_elicitation',
  'test_input_required_result_sampling',
  'test_input_required_result_list_roots',
  'test_input_required_result_request_state',
  'test_input_required_result_multiple_inputs',
  'test_input_required_result_multi_round',
  'test_input_required_result_tampered_state',
  'test_input_required_result_capabilities',
]

/** As JSON text, because a linter takes an object with `then` for a promise. */
const schemaOfDialect = JSON.parse(`{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "$defs": {
    "address": {
      "$anchor": "addressDef",
      "type": "object",
      "properties": { "street": { "type": "string" }, "city": { "type": "string" } }
    }
  },
  "properties": {
    "name": { "type": "string" },
    "address": { "$ref": "#/$defs/address" },
    "contactMethod": { "type": "string", "enum": ["phone", "email"] },
    "phone": { "type": "string" },
    "email": { "type": "string" }
  },
  "allOf": [{ "anyOf": [{ "required": ["phone"] }, { "required": ["email"] }] }],
  "if": { "properties": { "contactMethod": { "const": "phone" } }, "required": ["contactMethod"] },
  "then": { "required": ["phone"] },
  "else": { "required": ["email"] },
  "additionalProperties": false
}`) as JsonObject

/** Whether the two entries are there that appear and vanish by `test_trigger_tool_change` and `test_trigger_prompt_change`. */
export interface FixtureState {
  readonly extraTool: boolean
  readonly extraPrompt: boolean
}

/**
 * The tools, resources and prompts that the scenarios name, on a backend in this process. `toggle` is called when a
 * scenario asks for a change of a list.
 */
export function fixtureEntries(state: FixtureState, toggle: (kind: 'tool' | 'prompt') => void): CatalogueEntry[] {
  const backend: Backend = {
    act: async (invocation, events) => act(invocation, events, toggle),
  }
  const entry = (
    kind: EntryKind,
    name: string,
    definition: JsonObject,
    inputSchema: JsonObject | null,
  ): CatalogueEntry => ({
    kind,
    namespace: fixtureNamespace,
    service,
    name,
    definition,
    definitionHash: digestJson(definition),
    inputSchema,
    outputSchema: null,
    codeHash: null,
    runtime: null,
    backend,
  })
  const tool = (name: string, inputSchema: JsonObject = noArguments): CatalogueEntry =>
    entry('tool', name, { name, description: `Fixture ${name}.`, inputSchema }, inputSchema)
  const resource = (uri: string, name: string, mimeType: string): CatalogueEntry =>
    entry('resource', uri, { uri, name, description: `Fixture ${name}.`, mimeType }, null)
  const prompt = (name: string, ...names: string[]): CatalogueEntry =>
    entry(
      'prompt',
      name,
      {
        name,
        description: `Fixture ${name}.`,
        arguments: names.map((one) => ({ name: one, description: one, required: true })),
      },
      strings(...names),
    )
  return [
    ...toolNames.map((name) => tool(name)),
    tool('test_sampling', strings('prompt')),
    tool('test_elicitation', strings('message')),
    tool('json_schema_2020_12_tool', schemaOfDialect),
    tool('test_custom_headers', {
      type: 'object',
      properties: { region: { type: 'string', 'x-mcp-header': 'Region' } },
    }),
    ...(state.extraTool ? [tool('test_extra_tool')] : []),
    resource('test://static-text', 'static-text', 'text/plain'),
    resource('test://static-binary', 'static-binary', 'image/png'),
    resource('test://watched-resource', 'watched-resource', 'text/plain'),
    entry(
      'resource-template',
      'test://template/{id}/data',
      {
        uriTemplate: 'test://template/{id}/data',
        name: 'template',
        description: 'Fixture template.',
        mimeType: 'application/json',
      },
      null,
    ),
    prompt('test_simple_prompt'),
    prompt('test_prompt_with_arguments', 'arg1', 'arg2'),
    prompt('test_prompt_with_embedded_resource', 'resourceUri'),
    prompt('test_prompt_with_image'),
    prompt('test_input_required_result_prompt'),
    ...(state.extraPrompt ? [prompt('test_extra_prompt')] : []),
  ]
}

async function act(
  invocation: Invocation,
  events: InvocationEvents,
  toggle: (kind: 'tool' | 'prompt') => void,
): Promise<ActOutcome> {
  const { effect } = invocation
  switch (effect.kind) {
    case 'call':
      if (effect.tool === 'test_trigger_tool_change') toggle('tool')
      if (effect.tool === 'test_trigger_prompt_change') toggle('prompt')
      return actTool(effect, invocation, events)
    case 'read':
      return actResource(effect.uri)
    case 'prompt':
      return actPrompt(effect)
    case 'complete':
      return { status: 'ok', result: { completion: { values: ['test-one', 'test-two'], total: 2, hasMore: false } } }
    case 'manage':
    case 'approve':
    case 'audit':
      throw new Error('the fixtures manage nothing')
  }
}
