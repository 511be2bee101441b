#!/usr/bin/env python3
"""Time SecretFlow's SPU on secret-shared arrays, one process a party, over loopback.

Set up once:  make peers
Run:          ~/.cache/heqi/peers/bin/python benches/peers/secretflow_spu.py --protocol aby3 --work mul,less,sort,lr
Protocols: aby3 (3 parties, semi-honest, honest majority), cheetah (2 parties, semi-honest, OT-based).
Prints one JSON line a piece of work: what was computed, its size, and the seconds of the run with
shares already in place (the first run of each is a warm-up and is not counted).
  mul   x*y on n fixed-point values          less  x<y on n fixed-point values
  dot   (m,m) by (m,m) product               sort  n/10 fixed-point values
  sigmoid  the logistic function of n/10 values between -8 and 8
  lr    logistic regression on the breast cancer data set (569 x 30): `epochs` passes of mini-batch
        gradient descent (batch 64, rate 0.1) on standardised features; also prints the accuracy
"""
import argparse
import json
import multiprocessing as mp
import os
import time

import numpy as np


def works(names, n, m, epochs):
    import jax
    import jax.numpy as jnp

    rng = np.random.default_rng(3)
    x, y = rng.uniform(-100, 100, n), rng.uniform(-100, 100, n)
    a, b = rng.uniform(-1, 1, (m, m)), rng.uniform(-1, 1, (m, m))
    table = {
        "mul": (lambda x, y: x * y, (x, y), n),
        "less": (lambda x, y: x < y, (x, y), n),
        "dot": (jnp.dot, (a, b), m),
        "sort": (jnp.sort, (x[: n // 10],), n // 10),
        "sigmoid": (jax.nn.sigmoid, (x[: n // 10] / 12.5,), n // 10),
    }
    if "lr" in names:
        from sklearn.datasets import load_breast_cancer
        from sklearn.preprocessing import StandardScaler

        data = load_breast_cancer()
        feats, target = StandardScaler().fit_transform(data.data), data.target.astype(float)

        def lr(feats, target):
            w, bias = jnp.zeros(feats.shape[1]), 0.0
            for _ in range(epochs):
                for i in range(0, len(target) - len(target) % 64, 64):
                    fx, fy = feats[i : i + 64], target[i : i + 64]
                    z = jnp.matmul(fx, w) + bias
                    err = 1 / (1 + jnp.exp(-z)) - fy
                    w = w - 0.1 * jnp.matmul(fx.T, err) / 64
                    bias = bias - 0.1 * jnp.mean(err)
            return jnp.append(w, bias)

        table["lr"] = (lr, (feats, target), len(target))
    return {k: table[k] for k in names}


def party(rank, size, kind, field, port, jobs, gate, out):
    import spu

    desc = spu.link.Desc() if hasattr(spu.link, "Desc") else spu.link.ContextDesc()
    for r in range(size):
        desc.add_party(f"p{r}", f"127.0.0.1:{port + r}")
    lctx = spu.link.create_brpc(desc, rank)
    for name, (blob, ins, outs, shares) in jobs.items():
        exe = spu.Executable()
        exe.ParseFromString(blob)
        conf = spu.RuntimeConfig(protocol=getattr(spu.ProtocolKind, kind), field=getattr(spu.FieldType, field))
        conf.fxp_fraction_bits = 18
        rt = spu.Runtime(lctx, conf)
        for key, share in zip(ins, shares[rank]):
            rt.set_var(key, share)
        took = 0.0
        for _ in range(2):
            gate.wait()
            start = time.perf_counter()
            rt.run(exe)
            gate.wait()
            took = time.perf_counter() - start
        out.put((name, rank, took, [rt.get_var(o) for o in outs]))
        gate.wait()
    lctx.stop_link()


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--protocol", choices=["aby3", "cheetah", "semi2k"], default="aby3")
    ap.add_argument("--work", default="mul,less,dot,sort,lr")
    ap.add_argument("--n", type=int, default=1_000_000)
    ap.add_argument("--m", type=int, default=256)
    ap.add_argument("--epochs", type=int, default=5)
    ap.add_argument("--port", type=int, default=19630)
    a = ap.parse_args()
    import spu
    from spu.utils import frontend

    size = 3 if a.protocol == "aby3" else 2
    kind, field = a.protocol.upper(), "FM64"
    conf = spu.RuntimeConfig(protocol=getattr(spu.ProtocolKind, kind), field=getattr(spu.FieldType, field))
    conf.fxp_fraction_bits = 18
    io = spu.Io(size, conf)
    jobs, truth = {}, {}
    for name, (fn, args, n) in works(a.work.split(","), a.n, a.m, a.epochs).items():
        names = [f"in{i}" for i in range(len(args))]
        exe, _ = frontend.compile(
            frontend.Kind.JAX, fn, args, {}, names,
            [spu.Visibility.VIS_SECRET] * len(args), lambda flat: [f"out{i}" for i in range(len(flat))],
        )
        shares = list(zip(*[io.make_shares(np.asarray(v), spu.Visibility.VIS_SECRET) for v in args]))
        jobs[name] = (exe.SerializeToString(), list(exe.input_names), list(exe.output_names), shares)
        truth[name] = (np.asarray(fn(*args)), n)
    gate, out = mp.Barrier(size), mp.Queue()
    ps = [mp.Process(target=party, args=(r, size, kind, field, a.port, jobs, gate, out)) for r in range(size)]
    [p.start() for p in ps]
    for name in jobs:
        got = sorted(out.get(timeout=3600) for _ in range(size))
        result = io.reconstruct([g[3][0] for g in got])
        want, n = truth[name]
        worst = float(np.max(np.abs(np.asarray(result, dtype=float) - want.astype(float))))
        line = {"peer": "secretflow spu 0.9.5", "protocol": a.protocol, "work": name, "n": n,
                "seconds": round(max(g[2] for g in got), 4), "worst_error": round(worst, 6), "cpus": os.cpu_count()}
        if name == "lr":
            from sklearn.datasets import load_breast_cancer
            from sklearn.preprocessing import StandardScaler

            data = load_breast_cancer()
            z = StandardScaler().fit_transform(data.data) @ np.asarray(result)[:-1] + result[-1]
            line["accuracy"] = round(float(((z > 0) == data.target).mean()), 4)
        print(json.dumps(line), flush=True)
    [p.join(20) for p in ps]


if __name__ == "__main__":
    mp.set_start_method("spawn")
    main()
