#!/usr/bin/env python3
"""sigmoid and tanh beside PyTorch's, on one core, in turns: `benches/peers/activations.py` (needs torch).

PyTorch gets the better of `out=` into a buffer that exists already, and in place. At 4096 floats (16 KiB, in the
first-level cache) its time includes the cost of a call from Python; at 65536 that hardly counts.
"""

import subprocess
import time
from pathlib import Path

import torch

torch.set_num_threads(1)
ROOT = Path(__file__).parent.parent.parent
ROUNDS = 3


def torch_rate(name, floats):
    x = torch.arange(floats) * 7919 % floats / floats * 12 - 6
    out = torch.empty_like(x)
    function, in_place = getattr(torch, name), getattr(torch.Tensor, name + "_")
    calls = (1 << 21) // floats
    best = float("inf")
    for run in (lambda: function(x, out=out), lambda: in_place(out)):
        for _ in range(10):
            out.copy_(x)
            start = time.perf_counter()
            for _ in range(calls):
                run()
            best = min(best, (time.perf_counter() - start) / calls)
    return floats / best


def main():
    command = ["cargo", "bench", "--quiet", "--bench", "activations"]
    ours, theirs = {}, {}
    for _ in range(ROUNDS):
        lines = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT).stdout.splitlines()
        for line in lines:
            name, floats, rate = line.split()
            key = (name, int(floats))
            ours[key] = max(ours.get(key, 0), float(rate))
            theirs[key] = max(theirs.get(key, 0), torch_rate(*key))
    print(f"torch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}; 10^9 elements per second")
    for name, floats in ours:
        a, b = ours[name, floats] / 1e9, theirs[name, floats] / 1e9
        print(f"{name:8} {floats:6} floats: diabolo {a:6.2f}, torch {b:6.2f}, ratio {a / b:5.2f}")


if __name__ == "__main__":
    main()
