#!/usr/bin/env python3
"""The classic deep auto-encoder of MNIST, to an error on the test images: diabolo's recipe beside PyTorch.

    DIABOLO_DATA=... benches/peers/deep.py [--epochs 32] [--threads 2]

PyTorch trains 784-1000-500-250-30 and back by silu, a sigmoid output and cross-entropy, Adam at 0.001 with a cosine
schedule over all epochs, and batches of 128 rows: once with its own initialisation, which is small for so deep a network,
and once with LeCun's (normal, of variance 1 / inputs). Both sides are timed without reading and testing. Needs torch.
"""

import argparse
import gzip
import json
import math
import os
import subprocess
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import nn

ROOT = Path(__file__).resolve().parent.parent.parent
DATA = Path(os.environ["DIABOLO_DATA"]) / "mnist"
TRAIN, TEST = DATA / "train-images-idx3-ubyte.gz", DATA / "t10k-images-idx3-ubyte.gz"
LAYERS = [784, 1000, 500, 250, 30, 250, 500, 1000, 784]
WAIST = 4
BATCH = 128


def images(path):
    with gzip.open(path) as file:
        pixels = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, LAYERS[0])
    return torch.from_numpy(pixels.astype(np.float32) / np.float32(255))


def pytorch(epochs, threads, lecun):
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    parts = []
    for index, (inputs, outputs) in enumerate(pairwise(LAYERS), 1):
        parts.append(nn.Linear(inputs, outputs))
        if index not in (WAIST, len(LAYERS) - 1):
            parts.append(nn.SiLU())
    network = nn.Sequential(*parts)
    if lecun:
        for layer in network:
            if isinstance(layer, nn.Linear):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="linear")
                nn.init.zeros_(layer.bias)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    train, test = images(TRAIN), images(TEST)
    steps = epochs * (len(train) // BATCH)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    seconds = 0.0
    for epoch in range(1, epochs + 1):
        start = time.perf_counter()
        for rows in torch.randperm(len(train)).split(BATCH)[: len(train) // BATCH]:
            batch = train[rows]
            optimizer.zero_grad()
            loss = nn.functional.binary_cross_entropy_with_logits(network(batch), batch, reduction="sum") / BATCH
            loss.backward()
            optimizer.step()
            schedule.step()
        seconds += time.perf_counter() - start
        with torch.inference_mode():
            error = (torch.sigmoid(network(test)) - test).square().sum(1).mean().item()
        start_of_weights = "LeCun's start" if lecun else "its own start"
        print(f"PyTorch, {start_of_weights}, epoch {epoch}: {error:.3f} on the test images after {seconds:.1f} s", flush=True)
        if not math.isfinite(error):
            return


def diabolo(recipe, threads):
    program = ROOT / "target/release/diabolo"
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model.safetensors"

        def run(*words):
            words = [program, *words, "--json", "--threads", threads]
            return json.loads(subprocess.run([str(word) for word in words], check=True, stdout=subprocess.PIPE).stdout)

        trained = run("train", TRAIN, "--config", recipe, "--out", model, "--quiet")
        tested = run("evaluate", model, TEST)
    print(f"diabolo, {recipe.name}: {tested['error_per_row']:.3f} on the test images after {trained['seconds']:.1f} s")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=32)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    subprocess.run(["cargo", "build", "--release", "--quiet"], check=True, cwd=ROOT)
    diabolo(ROOT / "recipes/mnist-deep-minute.toml", arguments.threads)
    for lecun in (False, True):
        pytorch(arguments.epochs, arguments.threads, lecun)
