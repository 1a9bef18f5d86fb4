/** Changes of one's own settings: shown at once, taken back if the server refuses. */
import { api, type Schemas } from '../api/client';
import { tell } from './problems';
import { session } from './session.svelte';

export async function changeMe(change: Schemas['MeChange']) {
  const before = session.user;
  if (!before) return;
  await session.show({ ...before, ...change } as typeof before);
  try {
    await session.show(await api.changeMe(change));
  } catch (e) {
    await session.show(before);
    tell(e);
  }
}
export async function signOut() {
  try {
    await api.signOut();
  } catch (e) {
    return tell(e);
  }
  location.assign('/'); // a fresh page: nothing of this person stays in memory
}
