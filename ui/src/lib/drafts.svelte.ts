/** Unsent text by place (a thread, a record): kept for this tab, also over a reload, until it is sent. */
const KEY = 'draft:';
export function draft(place: string) {
  let text = $state(sessionStorage.getItem(KEY + place) ?? '');
  return {
    get text() { return text; },
    set text(next: string) {
      text = next;
      if (next) sessionStorage.setItem(KEY + place, next);
      else sessionStorage.removeItem(KEY + place);
    },
  };
}
