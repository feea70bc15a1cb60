/** Labels of one series, by name. */
export type Labels = Readonly<Record<string, string>>

/** One line of the exposition: the name's suffix, labels and value. */
export interface Sample {
  readonly suffix: '' | '_bucket' | '_sum' | '_count'
  readonly labels: Labels
  readonly value: number
}

/** A metric with all its series. */
export interface MetricFamily {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly samples: readonly Sample[]
}

/** A metric whose series come from what happens. */
export interface Series {
  /** Adds to a counter, or puts an observation into a histogram. */
  add(labels: Labels, value: number): void
  family(): MetricFamily
}

/** What labels become where there are too many series already. */
export type Fold = (labels: Labels) => Labels

/** Makes a counter of at most `maxSeries` series; what is beyond is counted under the labels that `fold` leaves. */
export function createCounter(name: string, help: string, maxSeries: number, fold: Fold): Series {
  const values = new Map<string, { readonly labels: Labels; value: number }>()
  return {
    add(labels, value) {
      const kept = room(values, labels, maxSeries, fold)
      const key = JSON.stringify(kept)
      const series = values.get(key) ?? { labels: kept, value: 0 }
      series.value += value
      values.set(key, series)
    },
    family: () => ({
      name,
      help,
      type: 'counter',
      samples: [...values.values()].map(({ labels, value }) => ({ suffix: '', labels, value })),
    }),
  }
}

interface Distribution {
  readonly labels: Labels
  /** Observations in each bucket, not those below; the last is beyond all bounds. */
  readonly counts: number[]
  sum: number
}

/** Makes a histogram with upper bounds in ascending order, of at most `maxSeries` distributions. */
export function createHistogram(
  name: string,
  help: string,
  bounds: readonly number[],
  maxSeries: number,
  fold: Fold,
): Series {
  const values = new Map<string, Distribution>()
  return {
    add(labels, value) {
      const kept = room(values, labels, maxSeries, fold)
      const key = JSON.stringify(kept)
      const series = values.get(key) ?? { labels: kept, counts: [...bounds.map(() => 0), 0], sum: 0 }
      const bucket = bounds.findIndex((bound) => value <= bound)
      const place = bucket === -1 ? bounds.length : bucket
      series.counts[place] = (series.counts[place] ?? 0) + 1
      series.sum += value
      values.set(key, series)
    },
    family: () => ({
      name,
      help,
      type: 'histogram',
      samples: [...values.values()].flatMap((series) => samplesOf(series, bounds)),
    }),
  }
}

function samplesOf({ labels, counts, sum }: Distribution, bounds: readonly number[]): Sample[] {
  let below = 0
  const buckets = counts.map((count, at): Sample => {
    below += count
    return {
      suffix: '_bucket',
      labels: { ...labels, le: at < bounds.length ? String(bounds[at]) : '+Inf' },
      value: below,
    }
  })
  return [...buckets, { suffix: '_sum', labels, value: sum }, { suffix: '_count', labels, value: below }]
}

function room(known: ReadonlyMap<string, unknown>, labels: Labels, maxSeries: number, fold: Fold): Labels {
  return known.size < maxSeries || known.has(JSON.stringify(labels)) ? labels : fold(labels)
}
