import { setTimeout as delay } from 'node:timers/promises'
import type { ActOutcome, Effect, Invocation, InvocationEvents } from '../../src/gateway/index.ts'
import { isJsonObject, type JsonObject } from '../../src/kernel/index.ts'
import { emptyWav, pngPixel, shown } from './fixture-content.ts'
import { defaultsSchema, enumsSchema } from './fixture-elicitation.ts'

type Call = Extract<Effect, { kind: 'call' }>

/** Runs a fixture tool as the scenario that names it describes it. */
export async function actTool(call: Call, invocation: Invocation, events: InvocationEvents): Promise<ActOutcome> {
  const { tool } = call
  switch (tool) {
    case 'test_image_content':
      return content({ type: 'image', data: pngPixel, mimeType: 'image/png' })
    case 'test_audio_content':
      return content({ type: 'audio', data: emptyWav, mimeType: 'audio/wav' })
    case 'test_embedded_resource':
      return content(resource('test://embedded-resource', 'text/plain', 'This is an embedded resource content.'))
    case 'test_multiple_content_types':
      return content(
        { type: 'text', text: 'Multiple content types test:' },
        { type: 'image', data: pngPixel, mimeType: 'image/png' },
        resource('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}'),
      )
    case 'test_tool_with_logging':
    case 'test_logging_tool':
      for (const message of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
        events.log('info', message, 'fixtures')
        await delay(20)
      }
      return text('Tool with logging executed.')
    case 'test_tool_with_progress':
      for (const progress of [0, 50, 100]) {
        events.progress(progress, 100, `${progress} of 100`)
        await delay(20)
      }
      return text('Tool with progress executed.')
    case 'test_error_handling': {
      const message = 'This tool intentionally returns an error for testing'
      return {
        status: 'tool-error',
        detail: null,
        result: { content: [{ type: 'text', text: message }], isError: true },
      }
    }
    default:
      return actAsking(call, invocation)
  }
}

/** Tools that need something of the client. */
function actAsking(call: Call, invocation: Invocation): ActOutcome {
  const { tool, arguments: given, resume } = call
  const answers = resume?.inputResponses ?? {}
  const state = resume?.state ?? null
  switch (tool) {
    case 'test_sampling':
      return ask(answers, { sampled: sampling(shown(given.prompt)) }, null, () =>
        text(`LLM response: ${JSON.stringify(answers.sampled)}`),
      )
    case 'test_missing_capability':
      return ask(answers, { sampled: sampling('Anything') }, null, () => text('The capability was there.'))
    case 'test_elicitation':
      return ask(answers, { user: elicitation(shown(given.message), fields('username', 'email')) }, null, () =>
        text(`User response: ${JSON.stringify(answers.user)}`),
      )
    case 'test_elicitation_sep1034_defaults':
      return ask(answers, { form: elicitation('Please review the defaults', defaultsSchema) }, null, () =>
        completed(answers.form),
      )
    case 'test_elicitation_sep1330_enums':
      return ask(answers, { form: elicitation('Please choose', enumsSchema) }, null, () => completed(answers.form))
    case 'test_streaming_elicitation':
    case 'test_input_required_result_elicitation':
      return ask(answers, { user_name: elicitation('What is your name?', fields('name')) }, null, () =>
        text(`Hello, ${nameIn(answers.user_name)}!`),
      )
    case 'test_input_required_result_sampling':
      return ask(answers, { capital_question: sampling('What is the capital of France?') }, null, () =>
        text(JSON.stringify(answers.capital_question)),
      )
    case 'test_input_required_result_list_roots':
      return ask(answers, { client_roots: { method: 'roots/list', params: {} } }, null, () =>
        text(JSON.stringify(answers.client_roots)),
      )
    case 'test_input_required_result_request_state':
    case 'test_input_required_result_tampered_state':
      if (state === 'confirming') return text('state-ok')
      return ask({}, { confirm: elicitation('Please confirm', yesNo) }, 'confirming', () => text('state-ok'))
    case 'test_input_required_result_multiple_inputs':
      return ask(
        answers,
        {
          user_name: elicitation('What is your name?', fields('name')),
          greeting: sampling('Generate a greeting'),
          client_roots: { method: 'roots/list', params: {} },
        },
        'asked-for-three',
        () => text(`All three came: ${Object.keys(answers).join(', ')}`),
      )
    case 'test_input_required_result_multi_round':
      if (state === null)
        return ask({}, { step1: elicitation('Step 1: What is your name?', fields('name')) }, 'round-1', () => text(''))
      if (state === 'round-1')
        return ask({}, { step2: elicitation('Step 2: What is your favorite color?', fields('color')) }, 'round-2', () =>
          text(''),
        )
      return text('Both rounds are done.')
    case 'test_input_required_result_capabilities': {
      const declared = invocation.facts.clientCapabilities
      const requests: JsonObject = {
        ...(isJsonObject(declared.sampling) ? { sampled: sampling('Say hello') } : {}),
        ...(isJsonObject(declared.elicitation) ? { asked: elicitation('Say hello', fields('name')) } : {}),
      }
      return ask(answers, requests, null, () => text('Asked for what the client can do.'))
    }
    default:
      return text('This is a simple text response for testing.')
  }
}

/** Asks until every key has an answer that is an object; then finishes. */
function ask(answers: JsonObject, requests: JsonObject, state: string | null, finish: () => ActOutcome): ActOutcome {
  if (Object.keys(requests).every((key) => isJsonObject(answers[key]))) return finish()
  return { status: 'input-required', inputRequests: requests, state }
}

const yesNo: JsonObject = { type: 'object', properties: { ok: { type: 'boolean' } }, required: ['ok'] }

function fields(...names: string[]): JsonObject {
  return {
    type: 'object',
    properties: Object.fromEntries(names.map((name) => [name, { type: 'string' }])),
    required: names,
  }
}

function elicitation(message: string, requestedSchema: JsonObject): JsonObject {
  return { method: 'elicitation/create', params: { mode: 'form', message, requestedSchema } }
}

function sampling(prompt: string): JsonObject {
  const messages = [{ role: 'user', content: { type: 'text', text: prompt } }]
  return { method: 'sampling/createMessage', params: { messages, maxTokens: 100 } }
}

function nameIn(answer: JsonObject[string] | undefined): string {
  const values = isJsonObject(answer) && isJsonObject(answer.content) ? answer.content : {}
  return shown(values.name)
}

function completed(answer: JsonObject[string] | undefined): ActOutcome {
  const { action, content: values } = isJsonObject(answer) ? answer : {}
  return text(`Elicitation completed: action=${shown(action)}, content=${JSON.stringify(values)}`)
}

function resource(uri: string, mimeType: string, value: string): JsonObject {
  return { type: 'resource', resource: { uri, mimeType, text: value } }
}

function text(value: string): ActOutcome {
  return content({ type: 'text', text: value })
}

function content(...blocks: JsonObject[]): ActOutcome {
  return { status: 'ok', result: { content: blocks } }
}
