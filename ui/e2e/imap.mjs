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
    let literal;
    const lines = [], socket = createConnection({ host, port });
    let rest = '', n = 0;
    const say = () => {
      if (n >= commands.length) return;
      const { line, literal: rest } = commands[n].line === undefined ? { line: commands[n] } : commands[n];
      literal = rest;
      socket.write(`a${n++} ${line}\r\n`);
    };
    socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error(`the mail server does not answer: ${commands[n - 1]}`)));
    socket.on('error', fail);
    socket.on('close', () => done(lines));
    socket.on('data', (data) => {
      const parts = (rest + data).split('\r\n');
      rest = parts.pop();
      for (const line of parts) {
        lines.push(line);
        if (line.startsWith('+') && literal !== undefined) { socket.write(`${literal}\r\n`); literal = undefined; }
        else if (/^a\d+ /.test(line) || (n === 0 && line.startsWith('* OK'))) say();
      }
    });
  });
}

/** Puts a mail into a folder of somebody's mailbox, as their mail server does when it arrives. */
export async function deliver({ host, port, password }, user, mail, folder = 'INBOX') {
  const lines = await talk({ host, port }, [`LOGIN "${user}" "${password}"`, { line: `APPEND "${folder}" {${Buffer.byteLength(mail)}}`, literal: mail }, 'LOGOUT']);
  if (!lines.some((l) => l.startsWith('a1 OK'))) throw new Error(`not delivered to ${folder}: ${lines.join(' | ')}`);
}
