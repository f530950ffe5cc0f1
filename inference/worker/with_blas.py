"""`python -m inference.worker.with_blas MODULE ARGUMENTS`: run a program with the BLAS that our workers use.

`manage.py bench` starts mlx-lm's programs like this, so that both sides multiply with the same routines.
"""

import argparse
import runpy
import sys

from inference.core import blas
from inference.worker.product_check import multiplies


def main() -> None:
    parser = argparse.ArgumentParser(prog="inference.worker.with_blas")
    parser.add_argument("--blas", default="", help="the BLAS library; empty looks for the best one")
    parser.add_argument("module", help="what `python -m` would run")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    blas.preload_best(options.blas, multiplies)
    sys.argv = [options.module, *options.arguments]
    runpy.run_module(options.module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
