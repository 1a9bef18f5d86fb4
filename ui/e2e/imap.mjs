/** A look at the mail server as another mail program would have it: no library, a few lines of IMAP. */
import { createConnection } from 'node:net';

const PATIENCE_MS = 60_000;

/** The flags of every message in a folder, one text for each. */
export async function flagsOf({ host, port, password }, user, folder) {
  const lines = await talk({ host, port }, [`LOGIN "${user}" "${password}"`, `EXAMINE "${folder}"`, 'FETCH 1:* (FLAGS)', 'LOGOUT']);
  return lines.filter((l) => /^\* \d+ FETCH /.test(l)).map((l) => /FLAGS \(([^)]*)\)/.exec(l)?.[1] ?? '');
}

/** Puts a mail into a folder, as if it had just arrived. The text's line ends are LF; it is sent without waiting (RFC 7888). */
export async function deliver({ host, port, password }, user, folder, text) {
  const mail = text.replaceAll('\n', '\r\n');
  const lines = await talk({ host, port }, [`LOGIN "${user}" "${password}"`, `APPEND "${folder}" {${Buffer.byteLength(mail)}+}\r\n${mail}`, 'LOGOUT']);
  if (!lines.some((l) => l.startsWith('a1 OK'))) throw new Error(`the mail was not taken: ${lines.join(' | ')}`);
}

/** Says the commands one after another; gives all lines of the server. An empty folder answers FETCH with BAD or NO, which is no error here. */
function talk({ host, port }, commands) {
  return new Promise((done, fail) => {
    const lines = [], socket = createConnection({ host, port });
    let rest = '', n = 0;
    const say = () => { if (n < commands.length) socket.write(`a${n} ${commands[n++]}\r\n`); };
    socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error(`the mail server does not answer: ${commands[n - 1]}`)));
    socket.on('error', fail);
    socket.on('close', () => done(lines));
    socket.on('data', (data) => {
      const parts = (rest + data).split('\r\n');
      rest = parts.pop();
      for (const line of parts) {
        lines.push(line);
        if (/^a\d+ /.test(line) || (n === 0 && line.startsWith('* OK'))) say();
      }
    });
  });
}
