/** Who is signed in, and what happens when that ends in the middle of work. */
import type { User } from '../api/client';
import { bestLocale, setLocale } from './i18n.svelte';

class Session {
  user = $state.raw<User | null>(null);
  setupRequired = $state(false);
  version = $state('');
  /** Shown over the page while a refused call waits for a new sign-in. */
  expired = $state(false);
  csrf = '';
  #waiting: { promise: Promise<void>; resolve: () => void } | undefined;

  /** Resolves once somebody signed in again; all refused calls share the one dialog. */
  signInAgain(): Promise<void> {
    if (!this.#waiting) {
      let resolve = () => {};
      const promise = new Promise<void>((done) => (resolve = done));
      this.#waiting = { promise, resolve };
      this.expired = true;
    }
    return this.#waiting.promise;
  }

  /** Takes over a fresh sign-in. Somebody else's: the page is loaded anew, so that nothing of the other person stays. */
  async enter(user: User, csrf: string) {
    if (this.user && this.user.id !== user.id) return location.assign('/');
    this.csrf = csrf;
    this.expired = false;
    this.#waiting?.resolve();
    this.#waiting = undefined;
    await this.show(user);
  }

  /** The user's language and looks take effect at once and are kept for the next first paint. */
  async show(user: User) {
    this.user = user;
    for (const k of ['theme', 'density'] as const) {
      document.documentElement.dataset[k] = user[k];
      localStorage.setItem(k, user[k]);
    }
    await setLocale(bestLocale([user.language]));
  }
}
export const session = new Session();
