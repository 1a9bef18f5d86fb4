#!/usr/bin/env python3
"""run.py: how fast Lettercase takes mail in, beside programs that do part of the same, and how fast it reads.

    run.py [--set small|medium] [--runs 1] [--parts intake,reading] [--reading 100000]

Intake: one Dovecot mailbox, the same for everybody, each run on a fresh copy (hard links) with warm indexes.
Lettercase goes from the first byte to durable, indexed, filed and settled on the server. mbsync downloads
into a Maildir, with fsync; beside notmuch or mu it does so without, which is faster, and these index what
came. Nobody else threads, files, links to records, deduplicates or settles.

Reading: messages of the text set taken in by `lettercase import`, then lists, threads and searches through
HTTP, one after another on one connection.

Prints Markdown and writes it to target/bench/<set>.md. Needs root (Dovecot) and the programs that
`make bench` installs. Everything stays below target/bench; only what was started here is ended.
"""
import argparse, http.client, json, os, platform, random, shutil, socket, subprocess, sys, time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
WORK = os.path.join(ROOT, "target", "bench")
BINARY = os.environ.get("LETTERCASE_BIN", os.path.join(ROOT, "target", "release", "lettercase"))
SERVER = os.path.join(ROOT, "target", "release", "bench-server")
PASSWORD = "bench-password"
QUERIES = ["faktura", "objednávka zboží", "invoice", "\"Dobrý den\"", "from:novak", "subject:projekt", "zamówienie",
           "reklamace -sklad", "has:attachment faktura", "dodávka OR delivery", "objedn*", "kovac ponuka"]


def generated(name, count=None):
    """The folder of a set, generated once."""
    out = os.path.join(WORK, name if count is None else "%s-%d" % (name, count))
    if not os.path.exists(os.path.join(out, "stats.json")):
        print("generating %s" % out, file=sys.stderr)
        command = [sys.executable, os.path.join(ROOT, "bench", "gen_corpus.py"), "--set", name, "--out", out]
        subprocess.run(command + (["--count", str(count)] if count else []), check=True, stdout=subprocess.DEVNULL)
    with open(os.path.join(out, "stats.json")) as file:
        return out, json.load(file)


class Server:
    """The Dovecot of a benchmark. A new user is a new copy of the mailbox."""

    def __init__(self):
        self.dir = os.path.join(WORK, "server")
        shutil.rmtree(self.dir, ignore_errors=True)
        os.makedirs(self.dir)
        self.process = subprocess.Popen([SERVER, self.dir], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            sys.exit("bench: the mail server did not start")
        self.about = json.loads(line)
        self.users = 0

    def mailbox(self, corpus):
        """A user with all messages of a set, as new; its indexes are warm."""
        self.users += 1
        user = "bench%d" % self.users
        home = os.path.join(self.dir, "mail", user)
        owner = os.stat(os.path.join(self.dir, "mail")).st_uid
        for part in ("", "cur", "new", "tmp"):
            os.makedirs(os.path.join(home, "Maildir", part), exist_ok=True)
            os.chown(os.path.join(home, "Maildir", part), owner, owner)
        os.chown(home, owner, owner)
        source = os.path.join(corpus, "Maildir", "cur")
        for name in os.listdir(source):
            path = os.path.join(source, name)
            if os.stat(path).st_uid != owner:
                os.chown(path, owner, owner)
            os.link(path, os.path.join(home, "Maildir", "cur", name.split(":")[0] + ":2,"))
        fetch = ["doveadm", "-c", os.path.join(self.dir, "dovecot.conf"), "fetch", "-u", user, "uid size.virtual"]
        subprocess.run(fetch + ["mailbox", "INBOX"], check=True, stdout=subprocess.DEVNULL)
        return user

    def drop(self, user):
        shutil.rmtree(os.path.join(self.dir, "mail", user), ignore_errors=True)

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)


def measured(command, log, environment=None):
    """Runs a command; gives seconds, CPU seconds and peak memory in MB, its own and of what it waited for."""
    os.sync()
    with open(log, "wb") as out:
        began = time.monotonic()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                   env={**os.environ, **(environment or {})})
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.monotonic() - began
    if status != 0:
        sys.exit("bench: %s failed, see %s" % (" ".join(command), log))
    return {"seconds": seconds, "cpu": used.ru_utime + used.ru_stime, "peak": used.ru_maxrss / 1024}


def disk(path):
    return int(subprocess.run(["du", "-sk", path], check=True, capture_output=True, text=True).stdout.split()[0]) / 1000


def lettercase(server, corpus, count, settle):
    user, data = server.mailbox(corpus), os.path.join(WORK, "data")
    shutil.rmtree(data, ignore_errors=True)
    os.makedirs(data)
    password = os.path.join(WORK, "password")
    with open(password, "w") as file:
        file.write(server.about["password"] + "\n")
    url = "imap://%s@127.0.0.1:%d" % (user, server.about["port"])
    add = [BINARY, "--data", data, "mailbox", "add", "--group", "--address", "obchod@firma.example", "--imap", url,
           "--tls", "none", "--password-file", password, "--create-cases", "--process", "Sales", "--team", "Sales", "--active"]
    subprocess.run(add + settle, check=True, stdout=subprocess.DEVNULL)
    result = measured([BINARY, "--data", data, "scan"], os.path.join(WORK, "lettercase.log"))
    ledger = json.loads(subprocess.run([BINARY, "--data", data, "ledger", "--json"], check=True, capture_output=True).stdout)
    seen, filed = (sum(row[word] for row in ledger) for word in ("seen", "filed"))
    if (seen, filed) != (count, count) or any(row["difference"] for row in ledger):
        sys.exit("bench: of %d messages %d were seen and %d filed" % (count, seen, filed))
    found = json.loads(subprocess.run([BINARY, "--data", data, "search", "--json", "faktura"], check=True, capture_output=True).stdout)
    if not found:
        sys.exit("bench: nothing is found after the scan")
    result["disk"] = disk(data)
    shutil.rmtree(data)
    server.drop(user)
    return result


def peer(server, corpus, count, indexer):
    user, place = server.mailbox(corpus), os.path.join(WORK, "peer")
    shutil.rmtree(place, ignore_errors=True)
    os.makedirs(os.path.join(place, "mail"))
    mail = os.path.join(place, "mail")
    rc = os.path.join(place, "mbsyncrc")
    with open(rc, "w") as file:
        file.write("FSync %s\nIMAPAccount p\nHost 127.0.0.1\nPort %d\nUser %s\nPass %s\nSSLType None\nAuthMechs LOGIN\n"
                   "PipelineDepth 50\n\nIMAPStore far\nAccount p\n\nMaildirStore near\nPath %s/\nInbox %s/INBOX\n"
                   "SubFolders Verbatim\n\nChannel c\nFar :far:\nNear :near:\nCreate Near\nExpunge None\nSync Pull\n"
                   "SyncState *\nPatterns INBOX\n"
                   % ("no" if indexer else "yes", server.about["port"], user, server.about["password"], mail, mail))
    with open(os.path.join(place, "notmuch"), "w") as file:
        file.write("[database]\npath=%s\n[user]\nname=x\nprimary_email=obchod@firma.example\n[new]\ntags=inbox;\n"
                   "[maildir]\nsynchronize_flags=false\n" % mail)
    script = {
        None: "mbsync -q -c %(p)s/mbsyncrc c",
        "notmuch": "mbsync -q -c %(p)s/mbsyncrc c && notmuch new --quiet",
        "mu": "mbsync -q -c %(p)s/mbsyncrc c && mu init --muhome=%(p)s/mu --maildir=%(p)s/mail >/dev/null && mu index --muhome=%(p)s/mu --quiet",
    }[indexer] % {"p": place}
    environment = {"NOTMUCH_CONFIG": os.path.join(place, "notmuch"), "LC_ALL": "C.UTF-8"}
    result = measured(["sh", "-c", script], os.path.join(WORK, "peer.log"), environment)
    fetched = sum(len(os.listdir(os.path.join(mail, "INBOX", part))) for part in ("cur", "new"))
    if fetched != count:
        sys.exit("bench: mbsync fetched %d of %d messages" % (fetched, count))
    result["disk"] = disk(place)
    shutil.rmtree(place)
    server.drop(user)
    return result


def intake(name, runs):
    corpus, stats = generated(name)
    count, size = stats["messages"], stats["wire_bytes"] / 1e6
    contenders = [
        ("Lettercase, mark as read", lambda: lettercase(server, corpus, count, ["--mark-read"])),
        ("Lettercase, move to Processed", lambda: lettercase(server, corpus, count, ["--processed", "Processed"])),
        ("mbsync, fsync (download only)", lambda: peer(server, corpus, count, None)),
        ("mbsync + mu", lambda: peer(server, corpus, count, "mu")),
        ("mbsync + notmuch", lambda: peer(server, corpus, count, "notmuch")),
    ]
    server, rows = Server(), []
    try:
        for title, run in contenders:
            results = sorted((run() for _ in range(runs)), key=lambda result: result["seconds"])
            rows.append((title, results[len(results) // 2]))
            print("%s: %.1f s" % (title, rows[-1][1]["seconds"]), file=sys.stderr)
    finally:
        server.close()
    ours = rows[0][1]["seconds"]
    lines = ["Set %s: %s messages, %.0f MB on the wire." % (name, "{:,}".format(count), size), "",
             "| | messages/s | MB/s | seconds | CPU s | peak MB | disk MB | Lettercase is |", "|---|---:|---:|---:|---:|---:|---:|---:|"]
    for title, result in rows:
        ratio = "" if title.startswith("Lettercase") else "%.2fx" % (result["seconds"] / ours)
        lines.append("| %s | %.0f | %.1f | %.1f | %.1f | %.0f | %.0f | %s |" % (
            title, count / result["seconds"], size / result["seconds"], result["seconds"], result["cpu"], result["peak"], result["disk"], ratio))
    return lines


class Client:
    """One connection to a Lettercase on this machine."""

    def __init__(self, port):
        self.http = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.headers = {"Content-Type": "application/json"}

    def call(self, method, path, body=None):
        self.http.request(method, "/api/v1" + path, json.dumps(body) if body else None, self.headers)
        response = self.http.getresponse()
        text = response.read()
        if response.status >= 300:
            sys.exit("bench: %s %s: %d %s" % (method, path, response.status, text[:300]))
        if response.getheader("Set-Cookie"):
            self.headers["Cookie"] = response.getheader("Set-Cookie").split(";")[0]
        answer = json.loads(text) if text else None
        if isinstance(answer, dict) and "csrf_token" in answer:
            self.headers["X-CSRF-Token"] = answer["csrf_token"]
        return answer


def timed(client, paths):
    for path in paths[:5]:
        client.call("GET", path)
    times = []
    for path in paths:
        began = time.perf_counter()
        client.call("GET", path)
        times.append((time.perf_counter() - began) * 1000)
    times.sort()
    return times[len(times) // 2], times[int(len(times) * .95)], times[-1]


def query(text, offset=0):
    from urllib.parse import quote
    return "/search?q=%s&offset=%d&limit=50" % (quote(text), offset)


def reading(count):
    corpus, stats = generated("large", count)
    data = os.path.join(WORK, "reading")
    shutil.rmtree(data, ignore_errors=True)
    os.makedirs(data)
    imported = measured([BINARY, "--data", data, "import", os.path.join(corpus, "Maildir")], os.path.join(WORK, "import.log"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with open(os.path.join(WORK, "serve.log"), "wb") as log:
        serve = subprocess.Popen([BINARY, "--data", data, "serve", "--listen", "127.0.0.1:%d" % port], stdout=log, stderr=log)
    try:
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(.1)
        client = Client(port)
        client.call("POST", "/setup", {"name": "Ann", "login": "ann@firma.example", "password": PASSWORD, "language": "en"})
        chance = random.Random(1)
        total = client.call("GET", "/threads?view=all&offset=0&limit=1")["total"]
        places = [chance.randrange(max(1, total - 50)) for _ in range(200)]
        threads = [client.call("GET", "/threads?view=all&offset=%d&limit=1" % place)["rows"][0]["id"] for place in places]
        parts = [
            ("list, newest 50", ["/threads?view=all&offset=0&limit=50"] * 200),
            ("list, 50 from anywhere", ["/threads?view=all&offset=%d&limit=50" % place for place in places]),
            ("one thread", ["/threads/%d" % id for id in threads]),
            ("search, newest 50", [query(text) for text in QUERIES] * 15),
        ]
        rows = [(title, *timed(client, paths)) for title, paths in parts]
    finally:
        serve.terminate()
        serve.wait(30)
    lines = ["%s messages in %s threads, %.0f MB; imported at %.0f messages/s, peak %.0f MB; the data folder has %.0f MB." % (
        "{:,}".format(stats["messages"]), "{:,}".format(total), stats["wire_bytes"] / 1e6, stats["messages"] / imported["seconds"], imported["peak"], disk(data)), "",
        "| through HTTP | p50 ms | p95 ms | slowest ms |", "|---|---:|---:|---:|"]
    shutil.rmtree(data)
    return lines + ["| %s | %.1f | %.1f | %.1f |" % row for row in rows]


def machine():
    with open("/proc/cpuinfo") as file:
        model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), platform.machine())
    programs = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${Version}, ", "dovecot-imapd", "isync", "notmuch", "maildir-utils"],
                              capture_output=True, text=True).stdout.rstrip(", ")
    return "%s: `%s`; %d cores of %s, Linux %s, load %.1f at the start; %s." % (
        time.strftime("%Y-%m-%d", time.gmtime()), "python3 " + " ".join([os.path.relpath(sys.argv[0], ROOT)] + sys.argv[1:]),
        os.cpu_count(), model, platform.release(), os.getloadavg()[0], programs)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--set", choices=["small", "medium"], default="small")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--parts", default="intake,reading")
    parser.add_argument("--reading", type=int, default=100000)
    arguments = parser.parse_args()
    os.makedirs(WORK, exist_ok=True)
    lines = [machine(), ""]
    if "intake" in arguments.parts:
        lines += intake(arguments.set, arguments.runs) + [""]
    if "reading" in arguments.parts:
        lines += reading(arguments.reading)
    text = "\n".join(lines) + "\n"
    with open(os.path.join(WORK, arguments.set + ".md"), "w") as file:
        file.write(text)
    print(text)


if __name__ == "__main__":
    main()
