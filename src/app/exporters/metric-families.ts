import type { MetricFamily } from '../../exporters/index.ts'

/** One value without labels. */
export function plain(value: number | boolean): MetricFamily['samples'] {
  return [{ suffix: '', labels: {}, value: Number(value) }]
}

export function gauge(name: string, help: string, samples: MetricFamily['samples']): MetricFamily {
  return { name, help, type: 'gauge', samples }
}

export function counter(name: string, help: string, samples: MetricFamily['samples']): MetricFamily {
  return { name, help, type: 'counter', samples }
}
