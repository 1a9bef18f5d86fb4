/** What all forms that save have in common: busy while the server is asked, then what it refused, in words and by field. */
import { Problem } from '../api/client';
import { problemText } from './problems';

export class Saving {
  busy = $state(false);
  /** Why it was refused; empty: it was not. */
  problem = $state('');
  /** The same by field. */
  errors = $state.raw<Record<string, string>>({});

  /** Asks the server; false: it refused. What follows a success belongs into the task. */
  async run(task: () => Promise<unknown>): Promise<boolean> {
    this.forget();
    this.busy = true;
    try {
      await task();
      return true;
    } catch (e) {
      if (e instanceof Problem) this.errors = e.fields;
      this.problem = problemText(e);
      return false;
    } finally {
      this.busy = false;
    }
  }
  /** What was refused before is no longer said. */
  forget() {
    this.problem = '';
    this.errors = {};
  }
}
