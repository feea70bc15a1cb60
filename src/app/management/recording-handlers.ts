import type { Recording, RecordingInForce } from '../recording/open-recording.ts'
import type { Handlers } from './handler.ts'
import { unknownNamespace } from './identity-handlers.ts'
import { asJson } from './policy-handlers.ts'

/** What is kept of the calls of a namespace, and for how long. */
export function recordingHandlers({
  recording,
  hasNamespace,
}: {
  readonly recording: Recording
  readonly hasNamespace: (namespace: string) => boolean
}): Pick<Handlers, 'recording.show' | 'recording.set'> {
  const required = (namespace: string): string => {
    if (!hasNamespace(namespace)) throw unknownNamespace(namespace)
    return namespace
  }
  return {
    async 'recording.show'({ namespace }) {
      return answerOf(recording.inForce(required(namespace)))
    },
    async 'recording.set'({ namespace, level, bodyDays, recordDays }, { caller }) {
      const change = {
        ...(level === undefined ? {} : { level: chosen(level) }),
        ...(bodyDays === undefined ? {} : { bodyDays: chosen(bodyDays) }),
        ...(recordDays === undefined ? {} : { recordDays: chosen(recordDays) }),
      }
      return answerOf(await recording.change(required(namespace), change, caller.principal.id))
    },
  }
}

function answerOf({ namespace, level, bodyDays, recordDays, own }: RecordingInForce) {
  const defaults = (['level', 'bodyDays', 'recordDays'] as const).filter((name) => own[name] === null)
  return asJson({ namespace, level, bodyDays, recordDays, defaults })
}

function chosen<Value>(value: Value): Exclude<Value, 'default'> | null {
  return value === 'default' ? null : (value as Exclude<Value, 'default'>)
}
