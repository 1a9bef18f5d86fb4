/** What the open page offers to the command palette: it registers its actions while it is shown. */

export type Command = { label: string; key?: string; run: () => void };
class Commands {
  rows = $state.raw<Command[]>([]);
  name = $state('');
  /** Offers these until the returned undo is called: use as `$effect(() => commands.offer(name, [...]))`. */
  offer(name: string, rows: Command[]) {
    this.name = name;
    this.rows = rows;
    return () => { if (this.rows === rows) this.rows = []; };
  }
}
export const commands = new Commands();
