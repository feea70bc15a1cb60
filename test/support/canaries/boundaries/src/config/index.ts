import { settings } from '../policy/config.ts'
import { decide } from '../policy/index.ts' // expect: folder-config

export const config = [settings, decide]
