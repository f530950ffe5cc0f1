"""A model's adapter, after the self-test of its chat template, stop tokens and tool calls."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from inference.adapters import Adapter, ModelFacts, adapter_for, self_test
from inference.core.model_card import Finding
from inference.core.protocol import Load
from inference.worker.model.load_failure import RefusedModel
from inference.worker.model.model_files import read_facts, read_pooling, read_tokenizer, refuse_code
from inference.worker.model.tokenizer import HubTokenizer
from inference.worker.rendering import template_renderer


def tested_adapter(
    limit_s: float, facts: ModelFacts, tokenizer: HubTokenizer, name: str
) -> tuple[Adapter, tuple[Finding, ...]]:
    """The model's adapter and the findings of its self-test.

    Both run the model's chat template. Raises RefusedModel if that takes longer than `limit_s` seconds.
    """
    template_renderer.shared().wait_ready()
    test = ThreadPoolExecutor(1, thread_name_prefix="probe").submit(_self_tested, facts, tokenizer, name)
    try:
        return test.result(limit_s)
    except TimeoutError:
        # The thread goes on, but the site ends the process of a failed load.
        raise RefusedModel("its chat template does not terminate") from None


def _self_tested(
    facts: ModelFacts, tokenizer: HubTokenizer, name: str
) -> tuple[Adapter, tuple[Finding, ...]]:
    adapter = adapter_for(facts, tokenizer, name)
    found = (*self_test.findings(adapter, tokenizer), *tokenizer.findings)
    for finding in found:
        if (finding.about, finding.light) == ("tools", "red"):
            adapter.refuse_tools(finding.text)
    return adapter, found


def self_test_findings(options: Load) -> tuple[Finding, ...]:
    """The findings that a load of this model would have, without reading a weight; raises as load does."""
    facts = read_facts(Path(options.path))
    refuse_code(facts)
    if read_pooling(options, facts):
        return ()
    tokenizer = read_tokenizer(Path(options.path))
    return tested_adapter(options.prepare_limit_s, facts, tokenizer, options.adapter)[1]
