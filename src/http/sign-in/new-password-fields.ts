import { minPasswordLength } from '../../auth/index.ts'
import { html, type Html } from './html.ts'

/** The fields of a form for a new password, which is typed twice. */
export function newPasswordFields(label: string): Html {
  return html`<label for="password">${label}, at least ${minPasswordLength} characters</label>
    <input
      id="password"
      name="password"
      type="password"
      autocomplete="new-password"
      minlength="${minPasswordLength}"
      required
    />
    <label for="repeat">The same once more</label>
    <input id="repeat" name="repeat" type="password" autocomplete="new-password" required />`
}
