import { isJsonObject, type JsonObject } from '../kernel/index.ts'
import { CliError } from './cli-error.ts'
import { exitCode } from './exit-code.ts'

/** The arguments of a call as a person types them. @throws CliError `usage` where they are no JSON object. */
export function parseArguments(text: string): JsonObject {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    value = null
  }
  if (!isJsonObject(value))
    throw new CliError(
      exitCode.usage,
      '--args is not a JSON object.',
      `Write an object in single quotes: --args '{"n": 5}'`,
    )
  return value
}
