import type { Storage } from '../../storage/index.ts'

/** The log for whoever writes alarms: once one is durable, those who are to be told of it are. */
export function wakeAfterAlarms(log: Storage['decisionLog'], wake: () => void): Storage['decisionLog'] {
  return {
    async append(draft) {
      const receipt = await log.append(draft)
      if (draft.kind === 'alarm') wake()
      return receipt
    },
    read: (query) => log.read(query),
    readBody: (recordId, part) => log.readBody(recordId, part),
    prove: (recordId) => log.prove(recordId),
    health: () => log.health(),
    recheck: () => log.recheck(),
    close: () => log.close(),
  }
}
