#!/usr/bin/env python3
"""MNIST's digits as anomalies, one after another: an auto-encoder's reconstruction error beside PCA's.

    DIABOLO_DATA=... benches/anomalies.py [--held-out] [--digits 0,5] [--config FILE] [OPTIONS of diabolo train]

Both learn from the training images of nine digits and score all test images: the tenth digit is the anomaly. PCA has as
many components as the code has numbers. With --held-out, which is how settings are chosen, they learn from the first
50,000 training images and score the other 10,000. Takes the program from DIABOLO, else target/release/diabolo.
"""

import argparse
import gzip
import json
import os
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MNIST = Path(os.environ["DIABOLO_DATA"]) / "mnist"
DIABOLO = os.environ.get("DIABOLO", ROOT / "target/release/diabolo")
KEPT = 50_000


def diabolo(*words):
    done = subprocess.run([DIABOLO, *map(str, words), "--json"], check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def part(name, header, start, stop, out):
    """Writes some rows of an IDX file, whose header has `header` bytes, to another."""
    data = gzip.open(MNIST / name).read()
    size = (len(data) - header) // int.from_bytes(data[4:8])
    rows = data[header + start * size : header + stop * size]
    out.write_bytes(data[:4] + (stop - start).to_bytes(4) + data[8:header] + rows)
    return out


def files(folder, held_out):
    """Images and labels to learn from, and to score."""
    if not held_out:
        return [[MNIST / f"{name}-{kind}.gz" for kind in ("images-idx3-ubyte", "labels-idx1-ubyte")]
                for name in ("train", "t10k")]
    return [[part(f"train-{kind}.gz", header, start, stop, folder / f"{kind}-{start}")
             for kind, header in (("images-idx3-ubyte", 16), ("labels-idx1-ubyte", 8))]
            for start, stop in ((0, KEPT), (KEPT, 60_000))]


def score(model, images, labels, digit):
    facts = diabolo("score", model, images, "--labels", labels, "--anomaly", digit)
    return facts["roc_auc"], facts["average_precision"]


def main():
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--held-out", action="store_true")
    parser.add_argument("--digits", default="0,1,2,3,4,5,6,7,8,9")
    parser.add_argument("--config", default=ROOT / "recipes/mnist-anomaly.toml")
    arguments, options = parser.parse_known_args()
    rows = []
    print("         ROC AUC                 average precision")
    print("anomaly  auto-encoder       PCA  auto-encoder       PCA  seconds")
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        (images, labels), scored = files(folder, arguments.held_out)
        network, pca = folder / "network", folder / "pca"
        for digit in arguments.digits.split(","):
            normal = [images, "--labels", labels, "--without", digit]
            facts = diabolo("train", *normal, "--config", arguments.config, "--out", network, "--quiet", *options)
            diabolo("pca", *normal, "--components", min(facts["layers"]), "--out", pca)
            row = [value for pair in zip(score(network, *scored, digit), score(pca, *scored, digit)) for value in pair]
            rows.append([*row, facts["seconds"]])
            show(digit, rows[-1])
    show("mean", [sum(column) / len(rows) for column in zip(*rows)])


def show(name, row):
    print(f"{name:7}  {row[0]:12.4f}  {row[1]:8.4f}  {row[2]:12.4f}  {row[3]:8.4f}  {row[4]:7.1f}", flush=True)


if __name__ == "__main__":
    main()
