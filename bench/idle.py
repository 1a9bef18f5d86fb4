#!/usr/bin/env python3
"""idle.py: what thousands of idle mailboxes cost one process, and how soon new mail is seen.

    idle.py [--few 1000] [--many 10000] [--deliveries 200]

A scripted IMAP server (below; plain, loopback, one message and IDLE in each mailbox) serves all mailboxes. They
are connected through the API, and `lettercase serve` idles in all of them. Memory: resident size with few and with
many, the difference divided by the mailboxes between. Time: from the line that tells an idling connection of a new
message to the answer of the API that lists its thread.

Prints Markdown. Everything stays below target/bench; only what was started here is ended. Needs a limit of open
files above the number of mailboxes (`ulimit -n`); it is raised as far as it may be.
"""
import argparse, asyncio, http.client, json, multiprocessing, os, platform, random, resource, shutil, socket, subprocess, sys, time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
WORK = os.path.join(ROOT, "target", "bench")
BINARY = os.environ.get("LETTERCASE_BIN", os.path.join(ROOT, "target", "release", "lettercase"))


def letter(name):
    return ("Message-ID: <%s@firma.example>\r\nFrom: Ann <ann@firma.example>\r\nTo: help@acme.example\r\n"
            "Date: Mon, 2 Nov 2026 10:00:00 +0100\r\nSubject: Order %s\r\n\r\nTen of %s.\r\n" % (name, name, name)).encode()


class Mailbox:
    """One user's INBOX and who idles in it."""

    def __init__(self):
        self.messages, self.idler = [], None


class Server:
    """Enough of IMAP for rounds and IDLE; a line `DELIVER user name` on a second port puts a message in."""

    def __init__(self):
        self.mailboxes, self.idle = {}, 0

    async def client(self, reader, writer):
        mailbox, tag = None, ""
        say = lambda text: writer.write(text if isinstance(text, bytes) else text.encode())
        say("* OK [CAPABILITY IMAP4rev1 IDLE] ready\r\n")
        try:
            while line := (await reader.readline()).decode(errors="replace").strip():
                tag, verb, *rest = line.split(" ")
                verb = verb.upper() if verb.upper() != "UID" else "UID " + rest.pop(0).upper()
                if verb == "CAPABILITY":
                    say("* CAPABILITY IMAP4rev1 IDLE\r\n")
                elif verb == "LOGIN":
                    mailbox = self.mailboxes.setdefault(rest[0].strip('"'), Mailbox())
                elif verb == "LIST":
                    say('* LIST (\\HasNoChildren) "/" INBOX\r\n')
                elif verb in ("SELECT", "EXAMINE"):
                    count = len(mailbox.messages)
                    say("* %d EXISTS\r\n* OK [UIDVALIDITY 7] valid\r\n* OK [UIDNEXT %d] next\r\n" % (count, count + 1))
                elif verb == "UID SEARCH":
                    say("* SEARCH" + "".join(" %d" % (n + 1) for n in range(len(mailbox.messages))) + "\r\n")
                elif verb == "UID FETCH":
                    for part in rest[0].split(","):
                        first, last = (part.split(":") * 2)[:2]
                        for uid in range(int(first), int(last) + 1):
                            if uid <= len(mailbox.messages):
                                body = mailbox.messages[uid - 1]
                                say("* %d FETCH (UID %d FLAGS () INTERNALDATE \"02-Nov-2026 10:00:00 +0100\" "
                                    "RFC822.SIZE %d BODY[] {%d}\r\n" % (uid, uid, len(body), len(body)))
                                say(body + b")\r\n")
                elif verb == "IDLE":
                    say("+ idling\r\n")
                    mailbox.idler, self.idle = writer, self.idle + 1
                    await reader.readline()
                    mailbox.idler, self.idle = None, self.idle - 1
                say("%s OK done\r\n" % tag)
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def control(self, reader, writer):
        while line := (await reader.readline()).decode().split():
            if line[0] == "IDLE":
                writer.write(b"%d\n" % self.idle)
            else:
                mailbox = self.mailboxes[line[1]]
                mailbox.messages.append(letter(line[2]))
                mailbox.idler.write(b"* %d EXISTS\r\n" % len(mailbox.messages))
                writer.write(b"told\n")

    async def serve(self, ports):
        for port, handler in zip(ports, (self.client, self.control)):
            await asyncio.start_server(handler, "127.0.0.1", port, backlog=4096)
        await asyncio.Event().wait()


class Control:
    def __init__(self, port):
        for _ in range(100):
            try:
                self.file = socket.create_connection(("127.0.0.1", port)).makefile("rw")
                return
            except OSError:
                time.sleep(0.05)
        sys.exit("bench: the scripted server did not start")

    def ask(self, line):
        self.file.write(line + "\n")
        self.file.flush()
        return self.file.readline().strip()


class Client:
    """The API as a browser uses it."""

    def __init__(self, port):
        self.connection, self.headers = http.client.HTTPConnection("127.0.0.1", port, timeout=60), {"Content-Type": "application/json"}

    def call(self, method, path, body=None):
        self.connection.request(method, "/api/v1" + path, json.dumps(body) if body is not None else None, self.headers)
        answer = self.connection.getresponse()
        cookie, text = answer.getheader("set-cookie"), answer.read()
        if cookie:
            self.headers["Cookie"] = cookie.split(";")[0]
        if answer.status >= 300:
            sys.exit("bench: %s %s: %d %s" % (method, path, answer.status, text[:300]))
        found = json.loads(text) if text else None
        if isinstance(found, dict) and "csrf_token" in found:
            self.headers["X-CSRF-Token"] = found["csrf_token"]
        return found


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def resident_kb(pid):
    with open("/proc/%d/status" % pid) as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def settled(control, number, within_s):
    """Waits until so many connections idle; the seconds it took."""
    began = time.time()
    while int(control.ask("IDLE")) < number:
        if time.time() - began > within_s:
            sys.exit("bench: only %s of %d mailboxes idle" % (control.ask("IDLE"), number))
        time.sleep(0.2)
    return time.time() - began


def delivery_s(api, control, number, name):
    """From telling an idling connection to the API's list."""
    began = time.time()
    control.ask("DELIVER user%d %s" % (number, name))
    while True:
        rows = api.call("GET", "/threads?view=all&offset=0&limit=5")["rows"]
        if any(name in row["subject"] for row in rows):
            return time.time() - began
        if time.time() - began > 60:
            sys.exit("bench: %s was not seen within a minute" % name)
        time.sleep(0.005)


def run(few, many, deliveries):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard < many + 500:
        sys.exit("bench: %d mailboxes need a limit of open files above %d; it is %d (ulimit -n)" % (many, many + 500, hard))
    data = os.path.join(WORK, "idle")
    shutil.rmtree(data, ignore_errors=True)
    os.makedirs(data)
    mail, side, door = free_port(), free_port(), free_port()
    server = multiprocessing.Process(target=lambda: asyncio.run(Server().serve((mail, side))), daemon=True)
    server.start()
    control = Control(side)
    environment = dict(os.environ, LETTERCASE_CONNECTIONS_PER_SERVER=str(many + 100), LETTERCASE_LOG="warn")
    with open(os.path.join(data, "serve.log"), "wb") as log:
        serve = subprocess.Popen([BINARY, "--data", os.path.join(data, "data"), "serve", "--listen", "127.0.0.1:%d" % door],
                                 stdout=log, stderr=log, env=environment)
    try:
        api = Client(door)
        for _ in range(200):
            try:
                api.call("POST", "/setup", {"name": "Ann", "login": "ann@firma.example", "password": "bench-password", "language": "en"})
                break
            except OSError:
                api = Client(door)
                time.sleep(0.1)
        sizes, waits = [resident_kb(serve.pid)], []
        for first, last in ((0, few), (few, many)):
            for number in range(first, last):
                api.call("POST", "/mailboxes", {
                    "kind": "group", "address": "user%d@acme.example" % number, "host": "127.0.0.1", "port": mail,
                    "tls": "none", "username": "user%d" % number, "password": "x", "process": "Helpdesk",
                    "teams": ["Support"], "folders": [{"name": "INBOX", "after_filing": "leave"}], "active": True})
            waits.append(settled(control, last, 900))
            time.sleep(10)
            sizes.append(resident_kb(serve.pid))
        chance = random.Random(7)
        times = sorted(delivery_s(api, control, chance.randrange(many), "bench%d" % n) for n in range(deliveries))
        return sizes, waits, times
    finally:
        serve.terminate()
        serve.wait(60)
        server.terminate()


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--few", type=int, default=1000)
    arguments.add_argument("--many", type=int, default=10000)
    arguments.add_argument("--deliveries", type=int, default=200)
    options = arguments.parse_args()
    sizes, waits, times = run(options.few, options.many, options.deliveries)
    at = lambda share: 1000 * times[min(len(times) - 1, int(share * len(times)))]
    each = (sizes[2] - sizes[1]) / (options.many - options.few)
    with open("/proc/cpuinfo") as info:
        processor = next(line.split(":")[1].strip() for line in info if line.startswith("model name"))
    print("%s: `python3 bench/idle.py --few %d --many %d --deliveries %d` with %s; %d cores of %s, Linux %s, load %.1f.\n" % (
        time.strftime("%Y-%m-%d"), options.few, options.many, options.deliveries, os.path.relpath(BINARY, ROOT),
        os.cpu_count(), processor, platform.release().split("-")[0], os.getloadavg()[0]))
    print("| mailboxes idle | resident MB | all idle after the last was added, s |\n|---:|---:|---:|")
    print("| 0 | %.0f | |\n| %d | %.0f | %.1f |\n| %d | %.0f | %.1f |\n" % (
        sizes[0] / 1024, options.few, sizes[1] / 1024, waits[0], options.many, sizes[2] / 1024, waits[1]))
    print("Each further mailbox: %.1f KB. From delivery to visible: median %.0f ms, p95 %.0f ms, longest %.0f ms of %d." % (
        each, at(0.5), at(0.95), at(1.0), len(times)))


if __name__ == "__main__":
    main()
