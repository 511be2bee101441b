#!/usr/bin/env python3
"""Time SecretFlow's PSI between two processes on loopback, CSV to CSV.

Set up once:  make peers
Run:          ~/.cache/heqi/peers/bin/python benches/peers/secretflow_psi.py --rows 1048576 --protocol rr22
Prints one JSON line: the protocol, the rows each side holds, the rows in common,
and the seconds from both parties started and connected to both results written.
Both sides hold --rows 18-digit identifiers, of which --overlap per cent are shared.
"""
import argparse
import json
import multiprocessing as mp
import os
import random
import tempfile
import time


def write_inputs(folder, rows, overlap, seed=7):
    rng = random.Random(seed)
    pool = rng.sample(range(10**17, 10**18), rows * 2 - rows * overlap // 100)
    shared = rows * overlap // 100
    own = rows - shared
    sides = (pool[:rows], pool[:shared] + pool[rows : rows + own])
    for rank, ids in enumerate(sides):
        rng.shuffle(ids)
        with open(f"{folder}/in{rank}.csv", "w") as f:
            f.write("id\n" + "\n".join(map(str, ids)) + "\n")
    return shared


def party(rank, folder, protocol, port, gate, out):
    from spu import link, psi
    from spu.psi import InputParams, OutputParams, PsiExecuteConfig, PsiProtocolConfig, PsiProtocol

    desc = link.Desc() if hasattr(link, "Desc") else link.ContextDesc()
    for r in range(2):
        desc.add_party(f"p{r}", f"127.0.0.1:{port + r}")
    lctx = link.create_brpc(desc, rank)
    kind = {"rr22": PsiProtocol.PROTOCOL_RR22, "kkrt": PsiProtocol.PROTOCOL_KKRT, "ecdh": PsiProtocol.PROTOCOL_ECDH}[protocol]
    conf = PsiProtocolConfig(protocol=kind, receiver_rank=0, broadcast_result=True)
    if protocol == "ecdh":
        conf.ecdh_params = psi.EcdhParams(curve=psi.EllipticCurveType.CURVE_25519)
    gate.wait()
    start = time.perf_counter()
    report = psi.psi_execute(
        PsiExecuteConfig(
            protocol_conf=conf,
            input_params=InputParams(path=f"{folder}/in{rank}.csv", selected_keys=["id"], keys_unique=True),
            output_params=OutputParams(path=f"{folder}/out{rank}.csv", disable_alignment=True),
        ),
        lctx,
    )
    out.put((time.perf_counter() - start, report.intersection_count))
    lctx.stop_link()


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--rows", type=int, default=1 << 20)
    ap.add_argument("--overlap", type=int, default=50, help="per cent")
    ap.add_argument("--protocol", choices=["rr22", "kkrt", "ecdh"], default="rr22")
    ap.add_argument("--port", type=int, default=19530)
    a = ap.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        shared = write_inputs(folder, a.rows, a.overlap)
        gate, out = mp.Barrier(2), mp.Queue()
        ps = [mp.Process(target=party, args=(r, folder, a.protocol, a.port, gate, out)) for r in range(2)]
        [p.start() for p in ps]
        got = [out.get(timeout=3600) for _ in ps]
        [p.join(20) for p in ps]
        assert all(n == shared for _, n in got), got
    print(json.dumps({"peer": "secretflow spu 0.9.5", "protocol": a.protocol, "rows": a.rows,
                      "common": shared, "seconds": round(max(t for t, _ in got), 3), "cpus": os.cpu_count()}))


if __name__ == "__main__":
    main()
