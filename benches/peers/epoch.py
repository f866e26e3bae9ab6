#!/usr/bin/env python3
"""Training and reconstruction: diabolo beside PyTorch, JAX and scikit-learn, in turns, in rows per second.

    DIABOLO_DATA=... benches/peers/epoch.py [--threads 2] [--rounds 5] [--rust-peers] [WORKLOAD ...]

Makes a virtual environment beside this file with the peers in it, and builds diabolo with cargo; --rust-peers builds
candle and burn too, for slides and deep. Figures are medians over the rounds.

All sides train the same layers, with biases, in batches of the same size by the same optimizer; the error is squared,
summed over columns, and averaged over rows. The rows of PyTorch, JAX and scikit-learn are single precision in memory
from the start, and are shuffled again each epoch. PyTorch and JAX leave out an epoch's last, smaller batch, for a
compiler wants all batches alike. scikit-learn can't have a sigmoid for its output: that layer is linear there. candle
and burn train on random rows.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import venv
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

PEERS = Path(__file__).resolve().parent
ROOT = PEERS.parent.parent
PYTHON = PEERS / ".venv/bin/python"
VERSIONS = """import jax, sklearn, torch
print(f"torch {torch.__version__} ({torch.backends.cpu.get_cpu_capability()}), jax {jax.__version__},", end=" ")
print(f"scikit-learn {sklearn.__version__}")"""

SLIDES = [784, 100, 2, 100, 784]
DEEP = [784, 1000, 500, 250, 30, 250, 500, 1000, 784]
COMPILERS = ["torch-eager", "torch-compile", "jax"]
RUST_PEERS = ["candle", "burn"]


@dataclass
class Workload:
    layers: list
    steps: int  # in a peer's round, unless it takes several epochs to one
    peers: list
    data: str = "mnist"
    activation: str = "sigmoid"
    output_activation: str = "sigmoid"
    optimizer: str = "sgd"
    rate: float = 0.01
    batch: int = 128
    task: str = "training"


WORKLOADS = {
    "slides": Workload(SLIDES, 468, [*COMPILERS, "scikit-learn", *RUST_PEERS]),
    "deep": Workload(DEEP, 100, [*COMPILERS, *RUST_PEERS]),
    "slides-adam": Workload(SLIDES, 468, [*COMPILERS, "scikit-learn"], optimizer="adam", rate=0.001),
    "deep-adam": Workload(DEEP, 100, COMPILERS, optimizer="adam", rate=0.001),
    "iris": Workload([2, 1, 2], 15, ["torch-eager", "jax"], "iris", "linear", "linear", batch=10),
    "large": Workload([49152, 1024, 49152], 2, COMPILERS, "random", "relu", "linear", rate=1e-6, batch=64),
    "reconstruct": Workload(DEEP, 0, COMPILERS, task="reconstruction"),
}
LARGE_ROWS = 128
SECONDS = "6"  # of diabolo in a round, enough for all of MNIST in an epoch of the small network


def versions():
    command = [PYTHON, "-c", VERSIONS]
    if not PYTHON.exists() or subprocess.run(command, capture_output=True).returncode:
        venv.create(PEERS / ".venv", with_pip=True)
        packages = ["torch", "jax", "scikit-learn"]
        subprocess.run([PYTHON, "-m", "pip", "install", "--quiet", *packages], check=True)
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def build(folder):
    """The folder of the programs that cargo builds in this one."""
    subprocess.run(["cargo", "build", "--release"], check=True, cwd=folder)
    return Path(os.environ.get("CARGO_TARGET_DIR", folder / "target")) / "release"


def processor():
    with open("/proc/cpuinfo") as file:
        names = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
    return f"{names[0] if names else 'unknown processor'}, {os.cpu_count()} cores"


def start(peer, name):
    """A worker of this peer, warm."""
    worker = subprocess.Popen(
        [PYTHON, PEERS / "epoch_workers.py", peer, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    if not worker.stdout.readline():
        sys.exit(f"{peer} failed on {name}")
    return worker


def ask(worker):
    worker.stdin.write("\n")
    worker.stdin.flush()
    return float(worker.stdout.readline())


def ask_rust(program, name):
    command = [program, name, str(WORKLOADS[name].steps)]
    return float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def ask_diabolo(program, workload, threads):
    """What `diabolo bench` reports: of its run with these threads, of the one with 1, and its peak memory in bytes."""
    data = {
        "mnist": [Path(os.environ["DIABOLO_DATA"]) / "mnist/train-images-idx3-ubyte.gz"],
        "iris": ["iris", "--columns", "sepal_width,petal_length"],
        "random": ["--rows", str(LARGE_ROWS)],
    }[workload.data]
    command = [program, "bench", *data, "--json", "--seconds", SECONDS, "--threads", str(threads)]
    command += ["--layers", ",".join(map(str, workload.layers)), "--batch-size", str(workload.batch)]
    command += ["--activation", workload.activation, "--code-activation", workload.activation]
    command += ["--output-activation", workload.output_activation]
    command += ["--optimizer", workload.optimizer, "--learning-rate", f"{workload.rate:f}"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(map(str, command))} failed")
    report = json.loads(output)
    runs = {run["threads"]: run for run in report["runs"]}
    return runs[threads], runs[1], usage.ru_maxrss * 1024


def compare(name, diabolo, frameworks, threads, rounds):
    workload = WORKLOADS[name]
    peers = [peer for peer in workload.peers if frameworks or peer not in RUST_PEERS]
    workers = {peer: start(peer, name) for peer in peers if peer not in RUST_PEERS}
    rates = {peer: [] for peer in peers}
    reports = []
    for _ in range(rounds):
        reports.append(ask_diabolo(diabolo / "diabolo", workload, threads))
        for peer in peers:
            rust = peer in RUST_PEERS
            rates[peer].append(ask_rust(frameworks / f"{peer}_epoch", name) if rust else ask(workers[peer]))
    for worker in workers.values():
        worker.communicate()

    rate_key, share_key = f"{workload.task}_rows_per_second", f"{workload.task}_share_of_peak"
    ours = statistics.median(run[rate_key] for run, _, _ in reports)
    share = statistics.median(run[share_key] for run, _, _ in reports)
    gain = statistics.median(run[rate_key] / single[rate_key] for run, single, _ in reports)
    layers = "-".join(map(str, workload.layers))
    print(f"\n### {name}: {layers}, {workload.optimizer if workload.task == 'training' else 'forward'}\n")
    print("| | rows/s | diabolo / it |\n|---|---:|---:|")
    print(f"| diabolo | {ours:,.0f} | 1 |")
    for peer in peers:
        theirs = statistics.median(rates[peer])
        print(f"| {peer} | {theirs:,.0f} | {ours / theirs:.2f} |")
    print(f"\ndiabolo, on {threads} threads: {share:.1%} of the FMA peak; {gain:.2f} x as fast as on 1.")
    if name == "iris":
        epochs = [f"{peer} {150e6 / statistics.median(rates[peer]):.1f}" for peer in peers]
        print(f"An epoch, in microseconds: {', '.join([f'diabolo {150e6 / ours:.1f}', *epochs])}.")
    if name == "large":
        weights = 4 * sum((inputs + 1) * outputs for inputs, outputs in pairwise(workload.layers))
        peak = statistics.median(peak for _, _, peak in reports)
        print(f"diabolo's peak memory: {peak / 2**20:,.0f} MiB, {peak / weights:.2f} x the weights.")
    sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rust-peers", action="store_true", help="candle and burn too, on slides and deep")
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help=f"of {', '.join(WORKLOADS)} [default: all]")
    arguments = parser.parse_args()
    unknown = set(arguments.workloads) - set(WORKLOADS)
    if unknown:
        parser.error(f"no workload {', '.join(sorted(unknown))}")
    if "DIABOLO_DATA" not in os.environ:
        parser.error("set DIABOLO_DATA to a folder that holds mnist/train-images-idx3-ubyte.gz")
    diabolo = build(ROOT)
    frameworks = build(PEERS / "frameworks") if arguments.rust_peers else None
    threads = arguments.threads
    print(f"{versions()}\n{processor()}; {threads} threads, {arguments.rounds} rounds")

    # Every process started from here on inherits both. JAX heeds the processors alone.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    for library in ("OMP", "MKL", "OPENBLAS", "RAYON", "CANDLE"):
        os.environ[f"{library}_NUM_THREADS"] = str(threads)
    for name in arguments.workloads or WORKLOADS:
        compare(name, diabolo, frameworks, threads, arguments.rounds)


if __name__ == "__main__":
    main()
