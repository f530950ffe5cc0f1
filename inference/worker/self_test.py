"""The self-test by itself, `python -m inference.worker.self_test`: tries models' small files, no weights.

Standard input is a JSON list of Load; each is answered by a line of JSON, an Examined.
"""

import os
import sys

import msgspec

from inference.core.model_card import Finding
from inference.core.protocol import Examined, Load
from inference.worker.model.load_failure import failure_reason
from inference.worker.model.tested_adapter import self_test_findings


def main() -> None:
    for options in msgspec.json.decode(sys.stdin.buffer.read(), type=tuple[Load, ...]):
        sys.stdout.buffer.write(msgspec.json.encode(_examined(options)) + b"\n")
        sys.stdout.buffer.flush()
    # A template without end has left a thread behind, which nothing can stop.
    os._exit(0)


def _examined(options: Load) -> Examined:
    try:
        return Examined(model=options.model, findings=self_test_findings(options))
    except Exception as error:  # whatever is in these files is told, and the next model's are tried
        text = f"It cannot be loaded: {failure_reason(error)}"
        return Examined(model=options.model, findings=(Finding(light="red", about="chat", text=text),))


if __name__ == "__main__":
    main()
