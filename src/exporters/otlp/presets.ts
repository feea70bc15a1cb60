import { errorType, type CallSpans } from './spans-of-call.ts'
import type { CallExplanation } from '../../audit/index.ts'
import type { Attributes, Span } from './span.ts'

/** A product that spans are sent to, or `generic`: what the OpenTelemetry conventions say and no more. */
export type PresetName = 'generic' | 'langfuse' | 'langsmith' | 'phoenix'

/** What is particular to one product. */
export interface Preset {
  /** Where it is unless told otherwise; `null` where that must be told. */
  readonly url: string | null
  /** Added to the address. */
  readonly path: string
  /** Headers that say who sends, and for which project. `secret` is what the product calls its key. */
  headers(secret: string | null, project: string | null): Record<string, string>
  /** Attributes of the resource. */
  resource(project: string | null): Attributes
  /** Attributes that it reads besides those of the conventions. */
  attributes(call: CallExplanation, spans: CallSpans): { readonly call: Attributes; readonly decision: Attributes }
}

const none = { call: {}, decision: {} }

/** By name. */
export const presets: Readonly<Record<PresetName, Preset>> = {
  generic: {
    url: null,
    path: '',
    headers: (secret) => (secret === null ? {} : { authorization: secret }),
    resource: () => ({}),
    attributes: () => none,
  },
  langfuse: {
    url: 'https://cloud.langfuse.com',
    path: '/api/public/otel/v1/traces',
    headers: (secret) => ({
      ...(secret === null ? {} : { authorization: `Basic ${Buffer.from(secret).toString('base64')}` }),
      'x-langfuse-ingestion-version': '4',
    }),
    resource: () => ({}),
    attributes: langfuseAttributes,
  },
  langsmith: {
    url: 'https://api.smith.langchain.com',
    path: '/otel/v1/traces',
    headers: (secret, project) => ({
      ...(secret === null ? {} : { 'x-api-key': secret }),
      ...(project === null ? {} : { 'langsmith-project': project }),
    }),
    resource: () => ({}),
    attributes: langsmithAttributes,
  },
  phoenix: {
    url: null,
    path: '/v1/traces',
    headers: (secret, project) => ({
      ...(secret === null ? {} : { authorization: `Bearer ${secret}` }),
      ...(project === null ? {} : { 'x-project-name': project }),
    }),
    resource: (project) => ({ 'openinference.project.name': project ?? undefined }),
    attributes: phoenixAttributes,
  },
}

/** The spans with what the product reads. */
export function presetSpans(name: PresetName, explained: CallExplanation, spans: CallSpans): readonly Span[] {
  const more = presets[name].attributes(explained, spans)
  return [
    { ...spans.call, attributes: { ...spans.call.attributes, ...more.call } },
    { ...spans.decision, attributes: { ...spans.decision.attributes, ...more.decision } },
  ]
}

/** What people filter by, short enough for each span. */
function metadataOf({ namespace, what, decision, outcome, call }: CallExplanation): Record<string, string> {
  return {
    namespace,
    call,
    door: what.door,
    effect: decision.effect,
    basis: decision.basis,
    rules: decision.rules.map(({ id }) => id).join(', '),
    ...(outcome === null ? {} : { status: outcome.status }),
  }
}

function prefixed(prefix: string, values: Readonly<Record<string, string>>): Attributes {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix}${name}`, value]))
}

/** langfuse.com/integrations/native/opentelemetry, "Attribute Mapping": user, session and tags belong on every span. */
function langfuseAttributes(explained: CallExplanation, spans: CallSpans): { call: Attributes; decision: Attributes } {
  const isDenied = explained.decision.effect !== 'allow'
  const onBoth = {
    'langfuse.user.id': explained.who.id,
    'langfuse.session.id': explained.run,
    'langfuse.trace.tags': [`namespace:${explained.namespace}`, `door:${explained.what.door}`],
    ...prefixed('langfuse.observation.metadata.', metadataOf(explained)),
  }
  const failed = errorType(explained) !== null
  return {
    call: {
      ...onBoth,
      'langfuse.observation.type': explained.what.method === 'tools/call' ? 'tool' : 'span',
      'langfuse.observation.level': isDenied ? 'WARNING' : failed ? 'ERROR' : 'DEFAULT',
      'langfuse.observation.status_message': spans.call.error ?? undefined,
    },
    decision: {
      ...onBoth,
      'langfuse.observation.type': 'guardrail',
      'langfuse.observation.level': isDenied ? 'WARNING' : 'DEFAULT',
      'langfuse.observation.status_message': spans.call.error ?? undefined,
    },
  }
}

/** docs.langchain.com/langsmith/trace-with-opentelemetry: there is no kind for a guardrail. */
function langsmithAttributes(explained: CallExplanation, spans: CallSpans): { call: Attributes; decision: Attributes } {
  const onBoth = {
    'langsmith.span.tags': `namespace:${explained.namespace},door:${explained.what.door}`,
    // By this name runs are put together to threads.
    ...prefixed('langsmith.metadata.', { session_id: explained.run, ...metadataOf(explained) }),
  }
  return {
    call: {
      ...onBoth,
      'langsmith.span.kind': explained.what.method === 'tools/call' ? 'tool' : 'chain',
      'langsmith.trace.name': spans.call.name,
    },
    decision: { ...onBoth, 'langsmith.span.kind': 'chain', 'langsmith.trace.name': spans.decision.name },
  }
}

/** OpenInference semantic conventions, "Span Kinds" and "Reserved Attributes". */
function phoenixAttributes(explained: CallExplanation): { call: Attributes; decision: Attributes } {
  const onBoth = {
    'tag.tags': [`namespace:${explained.namespace}`, `door:${explained.what.door}`],
    metadata: JSON.stringify(metadataOf(explained)),
  }
  const isTool = explained.what.method === 'tools/call'
  return {
    call: {
      ...onBoth,
      'openinference.span.kind': isTool ? 'TOOL' : 'CHAIN',
      'tool.name': isTool ? explained.what.tool : undefined,
    },
    decision: { ...onBoth, 'openinference.span.kind': 'GUARDRAIL' },
  }
}
