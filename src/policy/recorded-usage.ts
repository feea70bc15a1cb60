import { z } from 'zod'

/** Figures of use as Cedar and records write them. */
export const recordedUsageSchema = z
  .object({
    calls_minute: z.number(),
    calls_day: z.number(),
    bytes_out_day: z.number(),
    spend_day: z.number(),
    running: z.number(),
  })
  .transform((used) => ({
    callsMinute: used.calls_minute,
    callsDay: used.calls_day,
    bytesOutDay: used.bytes_out_day,
    spendDay: used.spend_day,
    running: used.running,
  }))
