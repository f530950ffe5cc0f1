"""The settings every test runs under; loaded with `-p` because Django reads them before any conftest."""

import atexit
import functools
import gc
import os
import shutil
import ssl
import sys
import tempfile

gc.disable()  # until all tests are collected, see tests/conftest.py
if "MLXSITE_RUN_FOLDER" not in os.environ:  # in the first process of a run; it is for all of them
    os.environ["MLXSITE_RUN_FOLDER"] = tempfile.mkdtemp(prefix="mlxsite-run-")
    atexit.register(shutil.rmtree, os.environ["MLXSITE_RUN_FOLDER"], ignore_errors=True)
_data_dir = tempfile.mkdtemp(prefix="mlxsite-tests-")
atexit.register(shutil.rmtree, _data_dir, ignore_errors=True)
for name in [name for name in os.environ if name.startswith("MLX_SERVER_")]:
    del os.environ[name]
os.environ["MLX_SERVER_DATA_DIR"] = _data_dir
os.environ["MLX_SERVER_USE_HUB_CACHE"] = "false"
os.environ["MLX_SERVER_CPU_CALIBRATION"] = "off"  # its tests switch it on; it takes seconds
# Threads of several processes that wait for each other on the same cores make a load take minutes.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ["MLX_SERVER_TITLES"] = "false"  # their requests would be among those that tests look at
# Logfire comes with a pydantic plugin that costs two seconds at every start of every process.
os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"
os.environ["HF_HUB_OFFLINE"] = "1"
# As a worker does on a CPU: MLX compiles each kernel with the C++ compiler otherwise, for a second or two.
if sys.platform != "darwin" and not os.path.exists("/dev/nvidiactl"):
    os.environ["MLX_DISABLE_COMPILE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
# httpx reads all certificates for each client, also of plain HTTP, which takes 30 ms of processor time.
ssl.create_default_context = functools.cache(ssl.create_default_context)  # type: ignore[assignment]
