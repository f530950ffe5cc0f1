"""The self-test as a process, `python -m inference.worker.self_test`: it reads no weights.

Standard input is a JSON list of Load; the answer to each is a line of JSON, an Examined.
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
    # A template that never ends has left a thread behind, which cannot be stopped.
    os._exit(0)


def _examined(options: Load) -> Examined:
    try:
        return Examined(model=options.model, findings=self_test_findings(options))
    except Exception as error:  # these files can be wrong in any way; the next model is tested all the same
        text = f"It cannot be loaded: {failure_reason(error)}"
        return Examined(model=options.model, findings=(Finding(light="red", about="chat", text=text),))


if __name__ == "__main__":
    main()
