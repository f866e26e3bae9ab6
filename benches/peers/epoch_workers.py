"""The peers of epoch.py, which runs this file in its virtual environment: `epoch_workers.py PEER WORKLOAD`.

Prints a line once warm; then runs a round for each line of standard input, and prints that round's rows per second.
"""

import csv
import gzip
import os
import sys
import time
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
from epoch import LARGE_ROWS, ROOT, WORKLOADS

RECONSTRUCTED = 12000
CHUNKS = [500, 1000, 2000, 4000]  # Each divides RECONSTRUCTED, so that nothing is compiled for a remainder.


def rows(workload):
    if workload.data == "iris":
        with open(ROOT / "data/iris.csv") as file:
            return np.array([(row["sepal_width"], row["petal_length"]) for row in csv.DictReader(file)], np.float32)
    if workload.data == "random":
        values = np.random.default_rng(0).integers(0, 256, (LARGE_ROWS, workload.layers[0]), np.uint8)
    else:
        with gzip.open(Path(os.environ["DIABOLO_DATA"]) / "mnist/train-images-idx3-ubyte.gz") as file:
            values = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, workload.layers[0])
    return values.astype(np.float32) / np.float32(255)


def fastest(rounds):
    times = []
    for run in rounds:
        run()  # compiles
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return rounds[times.index(min(times))]


def torch_round(workload, compiled):
    import torch
    from torch import nn

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    activations = {"sigmoid": [nn.Sigmoid()], "relu": [nn.ReLU()], "linear": []}
    parts = []
    for inputs, outputs in pairwise(workload.layers):
        activation = workload.output_activation if outputs == workload.layers[-1] else workload.activation
        parts += [nn.Linear(inputs, outputs), *activations[activation]]
    network = nn.Sequential(*parts)
    data = torch.from_numpy(rows(workload))

    if workload.task == "reconstruction":
        forward = torch.compile(network, dynamic=False) if compiled else network

        @torch.inference_mode()
        def reconstruct(chunk):
            for x in data[:RECONSTRUCTED].split(chunk):
                forward(x)
            return RECONSTRUCTED

        return fastest([partial(reconstruct, chunk) for chunk in CHUNKS])

    def loss(x):
        return nn.functional.mse_loss(network(x), x, reduction="sum") / workload.batch

    if compiled:
        # Its backward too. Compiling the update as well, or all three as one function, was no faster than `fused`.
        loss = torch.compile(loss)
    kind = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[workload.optimizer]
    optimizer = kind(network.parameters(), lr=workload.rate, fused=True)
    count = workload.steps * workload.batch
    epochs = 50 if workload.data == "iris" else 1
    # Few rows are gathered all at once, many while they are in the cache.
    gathered = count if workload.data == "iris" else workload.batch

    def train():
        for _ in range(epochs):
            for chosen in torch.randperm(len(data))[:count].split(gathered):
                for x in data.index_select(0, chosen).split(workload.batch):
                    optimizer.zero_grad()
                    loss(x).backward()
                    optimizer.step()
        return epochs * count

    return train


def jax_round(workload):
    import jax
    from jax import numpy as jnp

    activations = {"sigmoid": jax.nn.sigmoid, "relu": jax.nn.relu, "linear": lambda x: x}
    random = np.random.default_rng(0)
    parameters = []
    for inputs, outputs in pairwise(workload.layers):
        weights = random.standard_normal((inputs, outputs), np.float32) / np.float32(np.sqrt(inputs))
        parameters.append((jnp.asarray(weights), jnp.zeros(outputs)))
    data = jnp.asarray(rows(workload))

    def forward(parameters, x):
        for weights, biases in parameters[:-1]:
            x = activations[workload.activation](x @ weights + biases)
        weights, biases = parameters[-1]
        return activations[workload.output_activation](x @ weights + biases)

    if workload.task == "reconstruction":
        forward = jax.jit(forward)

        def reconstruct(chunks):
            for x in chunks:
                output = forward(parameters, x)
            output.block_until_ready()
            return RECONSTRUCTED

        return fastest([partial(reconstruct, jnp.split(data[:RECONSTRUCTED], RECONSTRUCTED // n)) for n in CHUNKS])

    def loss(parameters, x):
        return jnp.sum((forward(parameters, x) - x) ** 2) / workload.batch

    def sgd(parameters, gradients, state):
        return jax.tree.map(lambda p, g: p - workload.rate * g, parameters, gradients), state

    def adam(parameters, gradients, state):
        means, squares, steps = state
        steps += 1
        means = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, means, gradients)
        squares = jax.tree.map(lambda s, g: 0.999 * s + 0.001 * g * g, squares, gradients)
        rate = workload.rate / (1 - 0.9**steps)
        correction = 1 / (1 - 0.999**steps)
        update = lambda p, m, s: p - rate * m / (jnp.sqrt(s * correction) + 1e-8)
        return jax.tree.map(update, parameters, means, squares), (means, squares, steps)

    update = {"sgd": sgd, "adam": adam}[workload.optimizer]
    zeros = partial(jax.tree.map, jnp.zeros_like, parameters)
    state = (zeros(), zeros(), jnp.float32(0)) if workload.optimizer == "adam" else ()

    def step(carry, chosen):
        parameters, state = carry
        return update(parameters, jax.grad(loss)(parameters, data[chosen]), state), None

    @partial(jax.jit, donate_argnums=0)
    def run(carry, orders):
        return jax.lax.scan(step, carry, orders)[0]

    carry = parameters, state
    epochs = 500 if workload.data == "iris" else 1
    order = np.tile(np.arange(len(data), dtype=np.int32), (epochs, 1))
    count = workload.steps * workload.batch

    def train():
        nonlocal carry
        random.permuted(order, axis=1, out=order)  # Several times as fast as JAX's own permutation, which sorts.
        carry = jax.block_until_ready(run(carry, order[:, :count].reshape(-1, workload.batch)))
        return epochs * count

    return train


def sklearn_round(workload):
    from sklearn.neural_network import MLPRegressor

    network = MLPRegressor(
        hidden_layer_sizes=workload.layers[1:-1],
        activation="logistic",
        solver=workload.optimizer,
        momentum=0,
        alpha=0,
        learning_rate_init=workload.rate,
        batch_size=workload.batch,
    )
    data = rows(workload)

    def train():
        network.partial_fit(data, data)  # An epoch, shuffled, in batches.
        return len(data)

    return train


ROUNDS = {
    "torch-eager": partial(torch_round, compiled=False),
    "torch-compile": partial(torch_round, compiled=True),
    "jax": jax_round,
    "scikit-learn": sklearn_round,
}


def main():
    peer, name = sys.argv[1:]
    run = ROUNDS[peer](WORKLOADS[name])
    for _ in range(2):
        run()
    print("warm", flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        count = run()
        print(count / (time.perf_counter() - start), flush=True)


if __name__ == "__main__":
    main()
