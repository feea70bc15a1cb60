import type { ActOutcome, Effect } from '../../src/gateway/index.ts'
import { isJsonObject, type JsonObject } from '../../src/kernel/index.ts'
import { pngPixel, shown } from './fixture-content.ts'

const user = (content: JsonObject): JsonObject => ({ role: 'user', content })
const text = (value: string): JsonObject => user({ type: 'text', text: value })

/** Renders a fixture prompt. */
export function actPrompt(effect: Extract<Effect, { kind: 'prompt' }>): ActOutcome {
  const { name, arguments: given, resume } = effect
  switch (name) {
    case 'test_prompt_with_arguments':
      return messages(text(`Prompt with arguments: arg1='${shown(given.arg1)}', arg2='${shown(given.arg2)}'`))
    case 'test_prompt_with_embedded_resource': {
      const uri = shown(given.resourceUri)
      const resource = { uri, mimeType: 'text/plain', text: 'Embedded resource content for testing.' }
      return messages(user({ type: 'resource', resource }), text('Please process the embedded resource above.'))
    }
    case 'test_prompt_with_image':
      return messages(
        user({ type: 'image', data: pngPixel, mimeType: 'image/png' }),
        text('Please analyze the image above.'),
      )
    case 'test_input_required_result_prompt': {
      const answer = resume?.inputResponses.user_context
      if (isJsonObject(answer)) return messages(text(`Use this context: ${JSON.stringify(answer.content)}`))
      const requestedSchema = { type: 'object', properties: { context: { type: 'string' } }, required: ['context'] }
      const params = { message: 'What context should the prompt use?', requestedSchema }
      const inputRequests = { user_context: { method: 'elicitation/create', params } }
      return { status: 'input-required', inputRequests, state: null }
    }
    default:
      return messages(text('This is a simple prompt for testing.'))
  }
}

function messages(...list: JsonObject[]): ActOutcome {
  return { status: 'ok', result: { messages: list } }
}
