"""Values of a site, plain ones and those that every syntax has to quote."""

from inference.connect.client import Values

PLAIN = Values(origin="http://127.0.0.1:8000", model="SmolLM2-135M-Instruct", context=8192)
AWKWARD = Values(
    origin="https://llm.example:8443",
    key="k'\"\\$(x) `y` #",
    model='org/It\'s "a" $model: #1:x',
    context=40960,
    sees=True,
)
