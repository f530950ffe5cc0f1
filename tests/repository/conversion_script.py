"""What a conversion process may do, for tests of what its parent makes of it."""

import os
import sys
import time
from pathlib import Path


def main() -> None:
    match sys.argv[1]:
        case "print":
            print("one\ntwo", flush=True)
        case "fail":
            raise SystemExit("some warning\nthe file is broken")
        case "babble":
            raise SystemExit("line\n" * 100_000 + "x" * 1000)
        case "leave":
            os._exit(3)
        case "wait":
            print("here", flush=True)
            time.sleep(600)
        case "leash":
            print("here", flush=True)
            os.read(0, 1)
            Path(sys.argv[2]).touch()


if __name__ == "__main__":
    main()
