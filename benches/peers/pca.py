#!/usr/bin/env python3
"""PCA of MNIST's 60,000 training images: diabolo beside every solver of scikit-learn, in turn, in one run.

    DIABOLO_DATA=... RAYON_NUM_THREADS=2 OMP_NUM_THREADS=2 OPENBLAS_NUM_THREADS=2 benches/peers/pca.py [ROUNDS]

Needs numpy and scikit-learn, and builds diabolo's side with cargo. Both sides start from rows in memory: diabolo from
bytes, scikit-learn from single precision. The error is the squared error per test image, over pixels from 0 to 1.
"""

import gzip
import os
import pathlib
import statistics
import subprocess
import sys
import time

import numpy as np
import sklearn
from sklearn.decomposition import PCA

PEERS = pathlib.Path(__file__).parent
DATA = pathlib.Path(os.environ["DIABOLO_DATA"]) / "mnist"

# What is fitted, by us, and by them.
CASES = [
    ("all 784 components", "jacobi 784", dict(svd_solver="covariance_eigh"), dict(svd_solver="full")),
    (
        "30 components",
        "randomized 30",
        dict(n_components=30, svd_solver="randomized", random_state=0),
        dict(n_components=30, svd_solver="arpack", random_state=0),
    ),
    ("2 components", "randomized 2", dict(n_components=2, svd_solver="randomized", random_state=0)),
]


def read(name):
    with gzip.open(DATA / name) as file:
        return np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 784).astype(np.float32) / np.float32(255)


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    build = ["cargo", "build", "--release", "--bin", "pca", "--manifest-path", PEERS / "decompositions/Cargo.toml"]
    subprocess.run(build, check=True)
    target = os.environ.get("CARGO_TARGET_DIR", PEERS / "decompositions/target")
    ours = subprocess.Popen(
        [pathlib.Path(target) / "release/pca"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    train, test = read("train-images-idx3-ubyte.gz"), read("t10k-images-idx3-ubyte.gz")
    print(f"scikit-learn {sklearn.__version__}, numpy {np.__version__}, {rounds} rounds, seconds by the median")

    first_peak = None
    for name, request, *solvers in CASES:
        times = [[] for _ in range(1 + len(solvers))]
        errors = [None] * len(times)
        for _ in range(rounds):
            ours.stdin.write(request + "\n")
            seconds, errors[0], peak = map(float, ours.stdout.readline().split())
            times[0].append(seconds)
            first_peak = first_peak or peak
            for i, settings in enumerate(solvers, 1):
                start = time.perf_counter()
                pca = PCA(**settings).fit(train)
                times[i].append(time.perf_counter() - start)
                errors[i] = ((pca.inverse_transform(pca.transform(test)) - test) ** 2).sum(1).mean()
        medians = [statistics.median(values) for values in times]
        print(f"\n{name}")
        print(f"  diabolo {request:24} {medians[0]:7.3f}   error {errors[0]:.4f}")
        for settings, seconds, error in zip(solvers, medians[1:], errors[1:]):
            ratio = seconds / medians[0]
            print(f"  scikit-learn {settings['svd_solver']:19} {seconds:7.3f}   error {error:.4f}   {ratio:.2f} x ours")
    print(f"\nPeak memory of diabolo's process after its first fit, the images as bytes included: {first_peak:.0f} MiB")
    ours.stdin.close()
    ours.wait()


if __name__ == "__main__":
    main()
