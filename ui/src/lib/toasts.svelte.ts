/** Short messages at the edge of the screen, some with an undo. Z undoes the newest. */
export type Toast = { id: number; text: string; danger: boolean; undo?: () => void };

const LIFE_MS = 9_000, MOST = 3;
let next = 1;

class Toasts {
  rows = $state.raw<Toast[]>([]);

  show(text: string, { undo, danger = false }: { undo?: () => void; danger?: boolean } = {}) {
    const id = next++;
    this.rows = [...this.rows, { id, text, danger, undo }].slice(-MOST);
    setTimeout(() => this.drop(id), danger ? LIFE_MS * 2 : LIFE_MS);
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
