#!/usr/bin/env python3
# Holds the samples of programs whose memory is known against what they say of themselves (samples.c).
#
#   samples.py HEAPBENCH LIBRARY PROGRAM SEEDS
#
# Prints "ok NAME" or "FAILED NAME: REASON" for each check.
import json, math, os, subprocess, sys, tempfile, urllib.error, urllib.request

heapbench, library, program, seed_count = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])


def verdict(passed, name, reason=""):
    print(f"ok       {name}" if passed else f"FAILED   {name}: {reason}", flush=True)


class Run:
    """A run of the program: what its sites hold, and what the samples say."""

    def __init__(self, mode, seed, mean, **variables):
        environment = {**os.environ, "LD_PRELOAD": library, "HEAPLAB_SAMPLE": mean, **variables}
        self.process = subprocess.Popen(
            [program, mode, str(seed)], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.truth, self.words = {}, {}
        self.pid = self.process.pid
        self.read()

    def read(self):
        for line in self.process.stdout:
            word, *numbers = line.split()
            if word == "ready":
                break
            if word.isdigit():
                self.truth[int(word)] = [float(number) for number in numbers]
            else:
                self.words[word] = int(numbers[0])
        self.pid = self.words.get("child", self.process.pid)

    def profile(self):
        text = subprocess.run([heapbench, "profile", str(self.pid), "--json", "-"], capture_output=True, text=True)
        if text.returncode != 0:
            raise SystemExit(f"FAILED   profile: {text.stderr}")
        self.json = json.loads(text.stdout)
        self.sites = {}
        for row in self.json["sites"]:
            name = next((f for f in row["functions"] if f.startswith("site_")), "site_-1")
            site = self.sites.setdefault(int(name[5:]), [0, 0.0, 0.0, 0.0])
            live = row["liveBytes"]
            site[0] += row["sampleCount"]
            site[1] += live["value"]
            site[2] += ((live["high"] - live["value"]) / 1.96) ** 2
            site[3] += row["pinnedFreeBytes"]["value"]
        return self

    def end(self):
        if self.pid != self.process.pid:
            os.kill(self.pid, 9)
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def known(self, column):
        return sum(site[column] for number, site in self.sites.items() if number >= 0)

    def deviation(self):
        """By how many standard errors the sum over all sites is off."""
        return (self.known(1) - sum(t[0] for t in self.truth.values())) / math.sqrt(self.known(2))


# Totals: every run within 3 standard errors, and no bias: the mean of n deviations has the standard error 1 / sqrt(n).
for mode, mean in [("churn", "16K"), ("small", "16K"), ("threads", "32K"), ("generations", "32K"), ("fork", "32K")]:
    deviations, lost = [], 0
    for seed in range(1, seed_count + 1):
        with Run(mode, seed, mean) as run:
            run.profile()
            deviations.append(run.deviation())
            lost += run.json["samplesDropped"] + sum(site[0] for n, site in run.sites.items() if n < 0) // 10
    bias = sum(deviations) / len(deviations) * math.sqrt(len(deviations))
    shown = f"{len(deviations)} seeds, largest {max(map(abs, deviations)):.2f} and mean {sum(deviations) / len(deviations):+.2f} standard errors"
    verdict(max(map(abs, deviations)) <= 3.3 and abs(bias) <= 3 and lost == 0, f"samples, {mode}: {shown}", f"{lost} lost")

# The site that pins the most memory is first, and by how much it pins is right where there are 400 samples.
first = close = enough = 0
for seed in range(1, seed_count + 1):
    with Run("fragment", seed, "512") as run:
        run.profile()
        culprit = run.words["culprit"]
        first += max(run.sites, key=lambda n: run.sites[n][3]) == culprit
        if run.sites[culprit][0] >= 400:
            enough += 1
            close += abs(run.sites[culprit][3] / run.truth[culprit][2] - 1) <= 0.25
verdict(first == seed_count and close == enough > 0,
        f"the culprit is first in {first} of {seed_count}, its pinned bytes within 25 % in {close} of {enough}", "")



def answer(address):
    """The status and the text of an HTTP answer."""
    try:
        with urllib.request.urlopen(address, timeout=60) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def served(pid):
    """Whether an exporter serves the profile of a process where it may, and says why not elsewhere."""
    exporter = subprocess.Popen([heapbench, "exporter", "--profiles", "--port", "0"], stdout=subprocess.PIPE, text=True)
    try:
        place = exporter.stdout.readline().split()[-1].replace("/metrics", "/debug/pprof/heap")
        status, text = answer(f"{place}?pid={pid}")
        others = [answer(place)[0], answer(f"{place}?pid=redis")[0], answer(f"{place}?pid=8388608")[0]]
        return status == 200 and text.startswith("heap profile: ") and "MAPPED_LIBRARIES:" in text and others == [400, 400, 404], others
    finally:
        exporter.kill()
        exporter.wait()


# On and off in a running process.
with Run("idle", 1, "0") as run:
    refused = subprocess.run([heapbench, "profile", str(run.pid)], capture_output=True, text=True)
    verdict("takes no samples" in refused.stderr and refused.returncode == 2, "a process without samples says so", refused.stderr)
    subprocess.run([heapbench, "profile", str(run.pid), "--sample", "64K"], check=True, capture_output=True)
    run.process.stdin.write("\n")
    run.process.stdin.flush()
    run.read()
    run.profile()
    verdict(abs(run.deviation()) <= 4, f"switched on while it runs: {run.deviation():+.2f} standard errors", str(run.sites))
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([heapbench, "profile", str(run.pid), "--pprof", f"{folder}/p"], check=True, capture_output=True)
        text = subprocess.run(["google-pprof", "--text", "--lines", program, f"{folder}/p"], capture_output=True, text=True)
        cumulative = subprocess.run(["google-pprof", "--text", "--cum", program, f"{folder}/p"], capture_output=True, text=True)
        total = next((float(line.split()[1]) for line in cumulative.stdout.splitlines() if line.startswith("Total:")), 0)
        named = sum(f"site_{number}" in cumulative.stdout for number in range(12))
        wanted = sum(site[1] for site in run.sites.values()) / (1 << 20)
        verdict(named == 12 and abs(total - wanted) <= 0.2, f"google-pprof names {named} sites and counts {total} MiB",
                f"heapbench counts {wanted:.1f}; {cumulative.stdout[:400]}{cumulative.stderr[:200]}")
    passed, others = served(run.pid)
    verdict(passed, "the exporter serves the profile", f"wrong requests get {others}")
    subprocess.run([heapbench, "profile", str(run.pid), "--sample", "0"], check=True, capture_output=True)
    gone = subprocess.run([heapbench, "profile", str(run.pid)], capture_output=True, text=True)
    verdict("takes no samples" in gone.stderr, "switched off", gone.stderr)
