import { config } from '../config/index.ts'
import { main } from '../cli/main.ts' // expect: folder-app

export const app = [config, main]
