/** Short messages at the edge of the screen, some with an undo. Z undoes the newest. */
export type Toast = { id: number; text: string; danger: boolean; about?: string; undo?: () => void };

const LIFE_MS = 9_000, MOST = 3;
let next = 1;

class Toasts {
  rows = $state.raw<Toast[]>([]);

  /** A newer message `about` the same thing takes the older one's place, whose undo would no longer mean anything. */
  show(text: string, { undo, danger = false, about }: { undo?: () => void; danger?: boolean; about?: string } = {}) {
    const id = next++;
    this.rows = [...this.rows.filter((r) => !about || r.about !== about), { id, text, danger, about, undo }].slice(-MOST);
    setTimeout(() => this.drop(id), danger ? LIFE_MS * 2 : LIFE_MS);
    return id;
  }
  drop(id: number) { this.rows = this.rows.filter((r) => r.id !== id); }
  undo(id = this.rows.findLast((r) => r.undo)?.id) {
    const row = this.rows.find((r) => r.id === id);
    if (!row?.undo) return;
    this.drop(row.id);
    row.undo();
  }
}
export const toasts = new Toasts();
