import { createGateway, createMemoryCatalogue, type GatewayPorts } from '../../../src/gateway/index.ts'
import { gatewayConfigSchema } from '../../../src/gateway/config.ts'
import { digestJson, systemClock, type Caller, type JsonObject } from '../../../src/kernel/index.ts'
import type { PolicyEngine, PolicyVocabulary } from '../../../src/policy/index.ts'

/** `tools/list` as the gateway answers it, for an analyst of this name; gives how many tools were seen. */
export function listThroughGateway(engine: PolicyEngine, vocabulary: PolicyVocabulary): (agent: string) => number {
  const catalogue = createMemoryCatalogue()
  catalogue.addNamespace(vocabulary.namespace)
  for (const [service, tools] of Map.groupBy(vocabulary.tools, (tool) => tool.service)) {
    const entries = tools.map(({ name, inputSchema }) => {
      const definition: JsonObject = { name, description: 'Looks up companies.', inputSchema }
      return {
        kind: 'tool' as const,
        namespace: vocabulary.namespace,
        service,
        name,
        definition,
        definitionHash: digestJson(definition),
        inputSchema,
        outputSchema: null,
        codeHash: null,
        runtime: null,
        backend: { act: () => Promise.reject(new Error('nothing is called here')) },
      }
    })
    catalogue.replaceService(vocabulary.namespace, service, entries)
  }
  const ports = {
    catalogue,
    policy: engine,
    refresh: (caller) => caller,
    withdrawals: { isWithdrawn: () => false, isClosed: () => false, onChange: () => () => {} },
    clock: systemClock,
    config: gatewayConfigSchema.parse({}),
  } satisfies Partial<GatewayPorts> as unknown as GatewayPorts
  const gateway = createGateway(ports, (_, error) => {
    throw error
  })
  return (agent) => gateway.list(analyst(agent), vocabulary.namespace, 'tool').length
}

function analyst(name: string): Caller {
  return {
    principal: { type: 'agent', id: `demo/${name}`, name, namespace: 'demo', groups: ['analysts'] },
    authentication: {
      method: 'api-key',
      credentialId: name,
      senderConstrained: false,
      expiresAtMs: null,
      scopes: ['mcp'],
    },
    client: { address: '127.0.0.1', claimedName: null },
  }
}
