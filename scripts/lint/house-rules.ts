import { catchFailsClosed } from './rules/catch-fails-closed.ts'
import { disableNeedsReason } from './rules/disable-needs-reason.ts'
import { noConditionalTest } from './rules/no-conditional-test.ts'
import { noExportAll } from './rules/no-export-all.ts'
import { noHiddenImport } from './rules/no-hidden-import.ts'
import { noModuleState } from './rules/no-module-state.ts'
import { noProcessEnv } from './rules/no-process-env.ts'
import { noShell } from './rules/no-shell.ts'

/** The house rules that oxlint has no rule for, as its plugin. `.oxlintrc.json` says where each applies. */
export default {
  meta: { name: 'mcpworks' },
  rules: {
    'catch-fails-closed': catchFailsClosed,
    'disable-needs-reason': disableNeedsReason,
    'no-conditional-test': noConditionalTest,
    'no-export-all': noExportAll,
    'no-hidden-import': noHiddenImport,
    'no-module-state': noModuleState,
    'no-process-env': noProcessEnv,
    'no-shell': noShell,
  },
}
